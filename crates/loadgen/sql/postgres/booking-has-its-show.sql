-- Purpose: every booking's show exists; no foreign key sees to it.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status
FROM bookings AS b
WHERE NOT EXISTS (SELECT 1 FROM shows WHERE shows.id = b.show_id)
