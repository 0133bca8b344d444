-- How the bookings of a show stand: live holds, sales, failures, refunds due, and the house's seats. They have seats of it, or failed.
-- ?1: show  ?2: now
WITH of_show (id) AS (
    SELECT booking_id FROM seats WHERE show_id = ?1 AND booking_id IS NOT NULL
     UNION
    SELECT id FROM bookings WHERE show_id = ?1 AND status = 'FAILED'
)
SELECT count(*) FILTER (WHERE status = 'PENDING' AND expires_at > ?2),
       count(*) FILTER (WHERE status = 'CONFIRMED' AND blocked_for IS NULL),
       count(*) FILTER (WHERE status = 'FAILED' OR (status = 'PENDING' AND expires_at <= ?2)),
       count(*) FILTER (WHERE refund_due),
       COALESCE(sum(json_array_length(seat_numbers)) FILTER (WHERE status = 'CONFIRMED' AND blocked_for IS NOT NULL), 0)
  FROM of_show
 CROSS JOIN bookings ON bookings.id = of_show.id
