-- Purpose: seats that are free, of shows that exist.
-- Parameters: $1 first show, $2 number of shows, $3 seats of each. Locks: none that others want.
INSERT INTO seats (show_id, seat_number)
SELECT $1::bigint + show, seat FROM generate_series(0, $2::integer - 1) AS show CROSS JOIN generate_series(1, $3::integer) AS seat
