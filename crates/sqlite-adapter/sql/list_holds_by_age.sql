-- Holds that live, those made first first: few among many, so they are found by the index on their deadline.
-- ?1: only ids above this one  ?2: how many at most  ?3: now  ?4: show, NULL for any
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings INDEXED BY bookings_deadline
 WHERE status = 'PENDING'
   AND expires_at > ?3
   AND id > ?1
   AND (?4 IS NULL OR show_id = ?4)
 ORDER BY id
 LIMIT ?2
