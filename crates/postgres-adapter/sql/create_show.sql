-- Creates a show and its seats.
--
-- $1 text         name
-- $2 timestamptz  when it starts
-- $3 integer      number of seats
-- $4 timestamptz  the time, or null for the database's clock
-- $5 integer      how long a hold lives, in seconds, or null
-- $6 integer      how long a hold can live with its extensions, in seconds, or null
-- $7 boolean      whether customers may cancel what they have bought
WITH show AS (
    INSERT INTO shows (name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel)
    VALUES ($1, $2, $3, COALESCE($4::timestamptz, clock_timestamp()), $5, $6, $7)
    RETURNING id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel
), made AS (
    INSERT INTO seats (show_id, seat_number)
    SELECT show.id, n FROM show CROSS JOIN generate_series(1, $3) AS n
)
SELECT * FROM show
