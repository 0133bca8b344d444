-- Purpose: shows to sell in a run, all of their seats free.
-- Parameters: $1 number of shows, $2 seats of each. Locks: none that others want. Yields: the first and the last id, the number.
WITH new_shows AS (
    INSERT INTO shows (name, start_time, total_seats, created_at)
    SELECT 'Measured by loadgen', now() + interval '1 year', $2, now() FROM generate_series(1, $1::integer)
    RETURNING id
), new_seats AS (
    INSERT INTO seats (show_id, seat_number)
    SELECT new_shows.id, n FROM new_shows CROSS JOIN generate_series(1, $2) AS n
)
SELECT min(id), max(id), count(*) FROM new_shows
