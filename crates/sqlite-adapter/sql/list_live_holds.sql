-- PENDING bookings that are not dead, newest first: few, whatever the table holds.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?3: PENDING
-- Each NULL for any: ?5: show  ?6: customer  ?7: made then or later  ?8: made earlier  ?9: refund due
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings INDEXED BY bookings_deadline
 WHERE status = 'PENDING'
   AND status = ?3
   AND expires_at > ?4
   AND id < ?1
   AND (?5 IS NULL OR show_id = ?5)
   AND (?6 IS NULL OR customer = ?6)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
   AND (?9 IS NULL OR refund_due = ?9)
 ORDER BY id DESC
 LIMIT ?2
