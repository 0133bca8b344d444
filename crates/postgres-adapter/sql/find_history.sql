-- What happened to a booking, oldest first. Locks nothing.
--
-- $1 bigint  booking id
SELECT show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers
FROM booking_history
WHERE booking_id = $1
ORDER BY number
