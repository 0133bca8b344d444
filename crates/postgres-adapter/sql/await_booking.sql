-- Waits until no transaction is changing a booking.
--
-- $1 bigint  booking id
--
-- Locks: the booking, until the end of the statement. Nothing else is taken, so it can't be part of a deadlock.
SELECT id FROM bookings WHERE id = $1 FOR SHARE
