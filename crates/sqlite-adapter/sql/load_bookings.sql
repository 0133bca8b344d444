-- Those of the named bookings that exist.
-- ?1: their ids, a JSON array of integers.
SELECT id, show_id, user_name, seat_numbers, status, failure_reason, refund_due, expires_at, confirmed_at, created_at, updated_at
  FROM bookings
 WHERE id IN (SELECT value FROM json_each(?1))
