-- Bookings whose money has to be given back, newest first.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?9: 1
-- Each NULL for any: ?3: status as of now, a dead hold counting as FAILED  ?5: show  ?6: customer  ?7: made then or later  ?8: made earlier
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings INDEXED BY bookings_refund_due
 WHERE refund_due
   AND refund_due = ?9
   AND id < ?1
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
   AND (?5 IS NULL OR show_id = ?5)
   AND (?6 IS NULL OR customer = ?6)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
 ORDER BY id DESC
 LIMIT ?2
