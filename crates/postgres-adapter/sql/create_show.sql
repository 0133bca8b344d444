-- Creates a show and its seats.
--
-- $1 text         name
-- $2 timestamptz  when it starts
-- $3 integer      number of seats
-- $4 timestamptz  the time, or null for the database's clock
WITH show AS (
    INSERT INTO shows (name, start_time, total_seats, created_at)
    VALUES ($1, $2, $3, COALESCE($4::timestamptz, clock_timestamp()))
    RETURNING id, name, start_time, total_seats, created_at
), made AS (
    INSERT INTO seats (show_id, seat_number)
    SELECT show.id, n FROM show CROSS JOIN generate_series(1, $3) AS n
)
SELECT id, name, start_time, total_seats, created_at FROM show
