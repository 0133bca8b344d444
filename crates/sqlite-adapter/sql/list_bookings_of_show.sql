-- Bookings of a show, newest first.
-- ?1: only ids below this one  ?2: how many at most  ?4: now
-- ?5: show
-- Each NULL for any: ?3: status as of now, a dead hold counting as FAILED  ?6: customer  ?7: made then or later  ?8: made earlier  ?9: refund due
-- They are found in the show's history, which begins with each of them, in the order of their ids.
SELECT bookings.id, bookings.show_id, user_name, customer, blocked_for, payment_reference, bookings.seat_numbers, status, failure_reason,
       refund_due, reclaimed, expires_at, confirmed_at, created_at, updated_at
  FROM booking_history
 CROSS JOIN bookings
    ON bookings.id = booking_history.booking_id
 WHERE booking_history.show_id = ?5
   AND booking_history.from_status IS NULL
   AND bookings.id < ?1
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
   AND (?6 IS NULL OR customer = ?6)
   AND (?7 IS NULL OR created_at >= ?7)
   AND (?8 IS NULL OR created_at < ?8)
   AND (?9 IS NULL OR refund_due = ?9)
 ORDER BY booking_history.number DESC
 LIMIT ?2
