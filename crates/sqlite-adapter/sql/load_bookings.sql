-- Those of the named bookings that exist.
-- ?1: their ids, a JSON array of integers.
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings
 WHERE id IN (SELECT value FROM json_each(?1))
