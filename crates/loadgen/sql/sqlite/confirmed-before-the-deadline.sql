-- Purpose: nothing was confirmed at or after its deadline, except what was reclaimed, and that was.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.reclaimed, b.confirmed_at, b.expires_at
FROM bookings AS b
WHERE (b.confirmed_at >= b.expires_at) <> b.reclaimed
