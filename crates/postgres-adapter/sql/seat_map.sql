-- The seats of a show by number. Locks nothing.
--
-- $1 bigint       show id
-- $2 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
SELECT s.id, s.show_id, s.seat_number, s.status AS seat_status, s.booking_id, s.held_until, at.now
FROM (SELECT COALESCE($2::timestamptz, now()) AS now) AS at
CROSS JOIN seats s
WHERE s.show_id = $1
ORDER BY s.seat_number
