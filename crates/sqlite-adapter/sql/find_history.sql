-- What happened to a booking, oldest first.
-- ?1: booking
SELECT booking_id AS id, show_id, number, happened_at, event, from_status, actor, seat_numbers
  FROM booking_history
 WHERE booking_id = ?1
 ORDER BY number
