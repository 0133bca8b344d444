-- What happened to a booking, oldest first: from its last step back. Locks nothing.
--
-- $1 bigint  booking id
WITH RECURSIVE step AS (
    SELECT h.*
    FROM bookings b
    JOIN booking_history h ON h.show_id = b.show_id AND h.number = b.last_change
    WHERE b.id = $1
    UNION ALL
    SELECT h.*
    FROM step
    JOIN booking_history h ON h.show_id = step.show_id AND h.number = step.previous
)
SELECT show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers
FROM step
ORDER BY number
