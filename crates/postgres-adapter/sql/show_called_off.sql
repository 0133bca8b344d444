-- Takes down that every booking of a cancelled show has failed.
--
-- $1 bigint  show id
--
-- Locks: the show, and nothing else.
UPDATE shows SET calling_off = false WHERE id = $1 AND calling_off
