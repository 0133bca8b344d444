-- Bookings of a show, newest first: those that have seats of it, and those that failed.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?5: show
-- Each NULL for any: ?3: status as of now, a dead hold counting as FAILED  ?6: customer  ?7: made then or later  ?8: made earlier  ?9: refund due
WITH of_show (id) AS (
    SELECT booking_id FROM seats WHERE show_id = ?5 AND booking_id < ?1
     UNION
    SELECT id FROM bookings WHERE show_id = ?5 AND status = 'FAILED' AND id < ?1
)
SELECT bookings.id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason,
       refund_due, reclaimed, expires_at, confirmed_at, created_at, updated_at
  FROM of_show
 CROSS JOIN bookings ON bookings.id = of_show.id
 WHERE (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
   AND (?6 IS NULL OR customer = ?6)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
   AND (?9 IS NULL OR refund_due = ?9)
 ORDER BY of_show.id DESC
 LIMIT ?2
