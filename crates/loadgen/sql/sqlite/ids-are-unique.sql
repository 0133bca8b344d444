-- Purpose: no two bookings and no two seats have the same id, though the primary keys contain the show.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT 'bookings' AS in_table, id, count(*) AS rows FROM bookings GROUP BY id HAVING count(*) > 1
UNION ALL
SELECT 'seats' AS in_table, id, count(*) AS rows FROM seats GROUP BY id HAVING count(*) > 1
