-- Payments that were named before. Locks nothing: who comes with one for the same booking at the same time has waited for its lock
-- before this is read, and whoever names one for another booking can't save it twice.
--
-- $1 text[]  references
SELECT reference, booking_id, show_id, in_vain FROM payments WHERE reference = ANY ($1::text[])
