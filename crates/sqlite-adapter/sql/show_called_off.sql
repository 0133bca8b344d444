-- Every booking of a cancelled show has failed.
-- ?1: show
UPDATE shows
   SET calling_off = 0
 WHERE id = ?1
   AND calling_off
