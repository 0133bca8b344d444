-- Purpose: every seat's show exists.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT s.show_id, count(*) AS seats
FROM seats AS s
WHERE NOT EXISTS (SELECT 1 FROM shows WHERE shows.id = s.show_id)
GROUP BY s.show_id
