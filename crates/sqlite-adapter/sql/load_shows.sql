-- Those of the named shows that exist.
-- ?1: their ids, a JSON array of integers.
SELECT id
  FROM shows
 WHERE id IN (SELECT value FROM json_each(?1))
