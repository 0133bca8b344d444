-- Purpose: a booking stands where the last step of its history has led, for that reason and with those seats. (A dead hold that nobody
-- has failed yet is PENDING in both. What puts down a refund leads nowhere.)
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.failure_reason, b.seat_numbers, last.event, last.seat_numbers AS seats_in_history
FROM bookings AS b
JOIN (
    SELECT booking_id, event, seat_numbers, row_number() OVER (PARTITION BY booking_id ORDER BY number DESC) AS steps_to_come
    FROM booking_history
    WHERE event <> 'refund_due'
) AS last ON last.booking_id = b.id AND last.steps_to_come = 1
WHERE b.status <> CASE WHEN last.event IN ('confirmed', 'reclaimed', 'blocked') THEN 'CONFIRMED'
                       WHEN last.event IN ('expired', 'cancelled', 'show_cancelled') THEN 'FAILED'
                       ELSE 'PENDING' END
    OR (b.failure_reason IS NOT NULL AND b.failure_reason <> last.event)
    OR b.seat_numbers <> last.seat_numbers
