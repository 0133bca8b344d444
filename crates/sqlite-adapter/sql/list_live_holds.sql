-- PENDING bookings as of now, newest first: few among many, so they are found by the index on their deadline.
-- ?1: only ids below this one  ?2: how many at most  ?3: now
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings
 WHERE status = 'PENDING'
   AND expires_at > ?3
   AND id < ?1
 ORDER BY id DESC
 LIMIT ?2
