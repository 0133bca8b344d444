-- How the bookings of a show stand: live holds, sales, failures, refunds due, and the house's seats. They are found in its history, which begins with each.
-- ?1: show  ?2: now
SELECT count(*) FILTER (WHERE bookings.status = 'PENDING' AND bookings.expires_at > ?2),
       count(*) FILTER (WHERE bookings.status = 'CONFIRMED' AND blocked_for IS NULL),
       count(*) FILTER (WHERE bookings.status = 'FAILED' OR (bookings.status = 'PENDING' AND bookings.expires_at <= ?2)),
       count(*) FILTER (WHERE bookings.refund_due),
       COALESCE(sum(json_array_length(bookings.seat_numbers)) FILTER (WHERE bookings.status = 'CONFIRMED' AND blocked_for IS NOT NULL), 0)
  FROM booking_history
 CROSS JOIN bookings
    ON bookings.id = booking_history.booking_id
 WHERE booking_history.show_id = ?1
   AND booking_history.from_status IS NULL
