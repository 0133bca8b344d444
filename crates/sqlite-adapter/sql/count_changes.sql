-- How many changes of a show are in the history.
-- ?1: show  ?2: their number
UPDATE shows
   SET changes = ?2
 WHERE id = ?1
