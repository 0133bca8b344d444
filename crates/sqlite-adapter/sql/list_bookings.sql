-- Bookings by status as of now, newest first. A dead hold counts as FAILED.
-- ?1: only ids below this one  ?2: how many at most  ?3: status, NULL for any  ?4: now
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings
 WHERE id < ?1
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
 ORDER BY id DESC
 LIMIT ?2
