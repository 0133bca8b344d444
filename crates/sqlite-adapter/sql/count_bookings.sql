-- How the bookings of a show stand: live holds, sales, failures, refunds due. They are found in its history, which begins with each.
-- ?1: show  ?2: now
SELECT count(*) FILTER (WHERE bookings.status = 'PENDING' AND bookings.expires_at > ?2),
       count(*) FILTER (WHERE bookings.status = 'CONFIRMED'),
       count(*) FILTER (WHERE bookings.status = 'FAILED' OR (bookings.status = 'PENDING' AND bookings.expires_at <= ?2)),
       count(*) FILTER (WHERE bookings.refund_due)
  FROM booking_history
 CROSS JOIN bookings
    ON bookings.id = booking_history.booking_id
 WHERE booking_history.show_id = ?1
   AND booking_history.event = 'held'
