-- What a customer has in a show and has not lost, newest first.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?3: status as of now, not FAILED  ?5: show  ?6: customer
-- Each NULL for any: ?7: made then or later  ?8: made earlier  ?9: refund due
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings INDEXED BY bookings_of_customer
 WHERE show_id = ?5
   AND customer = ?6
   AND customer IS NOT NULL
   AND status <> 'FAILED'
   AND id < ?1
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
   AND (?9 IS NULL OR refund_due = ?9)
 ORDER BY id DESC
 LIMIT ?2
