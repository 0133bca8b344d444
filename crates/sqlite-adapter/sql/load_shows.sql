-- Those of the named shows that exist.
-- ?1: their ids, a JSON array of integers.
SELECT id, hold_seconds, hold_limit_seconds, customers_may_cancel
  FROM shows
 WHERE id IN (SELECT value FROM json_each(?1))
