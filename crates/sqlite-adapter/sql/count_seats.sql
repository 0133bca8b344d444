-- How the seats of a show stand: free, held, sold or kept by the house. A show has at least one.
-- ?1: show  ?2: now
SELECT count(*) FILTER (WHERE status = 'AVAILABLE' OR held_until <= ?2),
       count(*) FILTER (WHERE held_until > ?2),
       count(*) FILTER (WHERE status = 'CONFIRMED')
  FROM seats
 WHERE show_id = ?1
