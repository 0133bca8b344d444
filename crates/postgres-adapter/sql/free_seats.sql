-- Frees seats. Their rows are locked by the caller, so that they can't have moved since; no other lock is taken.
--
-- $1 tid[]  where the rows are: a quarter cheaper than to look each of them up again by its key
UPDATE seats
SET status = (SELECT 'AVAILABLE'::seat_status), booking_id = NULL, held_until = NULL
WHERE ctid = ANY ($1)
