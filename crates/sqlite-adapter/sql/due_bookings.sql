-- Candidates of a sweep, those that have been dead longest first. Whether they are dead is decided by the rule book.
-- ?1: now  ?2: how many at most
SELECT id
  FROM bookings
 WHERE status = 'PENDING'
   AND expires_at <= ?1
 ORDER BY expires_at, id
 LIMIT ?2
