-- Purpose: a show and its seats, all free.
-- Parameters: $1 name, $2 number of seats. Locks: none that others want. Yields: the show's id.
WITH new_show AS (
    INSERT INTO shows (name, start_time, total_seats, created_at)
    VALUES ($1, now() + interval '1 year', $2, now())
    RETURNING id
), new_seats AS (
    INSERT INTO seats (show_id, seat_number, status)
    SELECT new_show.id, n, 'AVAILABLE' FROM new_show, generate_series(1, $2) AS n
)
SELECT id FROM new_show
