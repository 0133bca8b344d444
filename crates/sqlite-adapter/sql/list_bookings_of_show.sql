-- Bookings of a show, newest first: those that failed, found by an index, and those that have seats of it.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?5: show
-- Each NULL for any: ?3: status as of now, a dead hold counting as FAILED  ?6: customer  ?7: made then or later  ?8: made earlier  ?9: refund due
SELECT *
  FROM (
    SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
           expires_at, confirmed_at, created_at, updated_at
      FROM bookings INDEXED BY bookings_failed
     WHERE show_id = ?5
       AND status = 'FAILED'
       AND id < ?1
       AND (?3 IS NULL OR ?3 = 'FAILED')
       AND (?6 IS NULL OR customer = ?6)
       AND (?7 IS NULL OR created_at >= ?7)
       AND (?8 IS NULL OR created_at < ?8)
       AND (?9 IS NULL OR refund_due = ?9)
     ORDER BY id DESC
     LIMIT ?2
  )
 UNION ALL
SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
       expires_at, confirmed_at, created_at, updated_at
  FROM bookings
 WHERE id IN (SELECT booking_id FROM seats WHERE show_id = ?5 AND booking_id < ?1)
   AND status <> 'FAILED'
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
   AND (?6 IS NULL OR customer = ?6)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
   AND (?9 IS NULL OR refund_due = ?9)
 ORDER BY id DESC
 LIMIT ?2
