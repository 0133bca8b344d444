-- Which of these shows exist. Locks nothing: a show is never deleted.
--
-- $1 bigint[]  show ids
SELECT id FROM shows WHERE id = ANY ($1::bigint[])
