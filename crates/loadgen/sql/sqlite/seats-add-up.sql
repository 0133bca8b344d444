-- Purpose: the free, the held and the sold seats of a show are all of its seats.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT shows.id AS show_id, shows.total_seats, coalesce(s.free, 0) AS free, coalesce(s.held, 0) AS held, coalesce(s.sold, 0) AS sold
FROM shows
LEFT JOIN (
    SELECT
        show_id,
        count(*) FILTER (WHERE status = 'AVAILABLE') AS free,
        count(*) FILTER (WHERE status = 'PENDING') AS held,
        count(*) FILTER (WHERE status = 'CONFIRMED') AS sold
    FROM seats
    GROUP BY show_id
) AS s ON s.show_id = shows.id
WHERE coalesce(s.free + s.held + s.sold, 0) <> shows.total_seats
