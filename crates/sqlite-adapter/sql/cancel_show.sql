-- A show is cancelled, if it is not.
-- ?1: show  ?2: who  ?3: now
UPDATE shows
   SET cancelled_at = ?3, cancelled_by = ?2, calling_off = 1, revision = revision + 1
 WHERE id = ?1
   AND cancelled_at IS NULL
