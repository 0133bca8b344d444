-- Room for what a seat becomes. PostgreSQL clears a page of dead versions whenever somebody reads it while less than a tenth of it is
-- free, or less than its fillfactor leaves: with pages filled up to just that, it cleared one at every hold, for one dead version, and
-- a seventh of what a hold costs was that. A free seat now takes more than a taken one: each first change of a seat leaves room. By
-- simulation a page that sells out is cleared once for about ten changes, and every change stays heap-only, even when every seat of the
-- page is held.
--
-- No table is written anew: seats that exist have room as they were loaded under the old fillfactor.
--
-- Locks: seats, for a moment.

ALTER TABLE seats
    ADD COLUMN padding text DEFAULT repeat(' ', 31),
    SET (fillfactor = 90);
COMMENT ON COLUMN seats.padding IS 'Room on the page; null once the seat has been taken.';
