-- Bookings of a show by status as of now, newest first. A dead hold counts as FAILED.
-- ?1: only ids below this one  ?2: how many at most  ?3: status, NULL for any  ?4: now  ?5: show
-- They are found in the show's history, which begins with each of them, in the order of their ids.
SELECT bookings.id, bookings.show_id, user_name, customer, blocked_for, payment_reference, bookings.seat_numbers, status, failure_reason,
       refund_due, reclaimed, expires_at, confirmed_at, created_at, updated_at
  FROM booking_history
 CROSS JOIN bookings
    ON bookings.id = booking_history.booking_id
 WHERE booking_history.show_id = ?5
   AND booking_history.from_status IS NULL
   AND booking_history.booking_id < ?1
   AND (?3 IS NULL OR ?3 = CASE WHEN status = 'PENDING' AND expires_at <= ?4 THEN 'FAILED' ELSE status END)
 ORDER BY booking_history.number DESC
 LIMIT ?2
