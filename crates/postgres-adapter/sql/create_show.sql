-- Creates a show and its seats.
--
-- $1 text         name
-- $2 timestamptz  when it starts
-- $3 integer      number of seats
-- $4 timestamptz  the time, or null for the database's clock
-- $5 integer      how long a hold lives, in seconds, or null
-- $6 integer      how long a hold can live with its extensions, in seconds, or null
-- $7 boolean      whether customers may cancel what they have bought
-- $8 boolean      whether late confirms are taken
-- $9, $10 integer  most seats of a booking, most seats of a customer, or null
-- $11 integer      most live holds of a customer, or null
-- $12, $13 timestamptz  when the sale begins and ends, or null
WITH show AS (
    INSERT INTO shows (name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
                       seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at)
    VALUES ($1, $2, $3, COALESCE($4::timestamptz, clock_timestamp()), $5, $6, $7, $8, $9, $10, $11, $12, $13)
    RETURNING *
), made AS (
    INSERT INTO seats (show_id, seat_number)
    SELECT show.id, n FROM show CROSS JOIN generate_series(1, $3) AS n
)
SELECT * FROM show
