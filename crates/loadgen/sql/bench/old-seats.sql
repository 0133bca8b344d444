-- Purpose: the seats of those bookings.
-- Parameters: $1 first show, $2 number of shows, $3 seats of each, an even number; $4 first booking. Locks: none that others want.
INSERT INTO seats (show_id, seat_number, status, booking_id)
SELECT $1::bigint + show, seat + 1, 'CONFIRMED', $4::bigint + show * ($3::integer / 2) + seat / 2
FROM generate_series(0, $2::integer - 1) AS show CROSS JOIN generate_series(0, $3 - 1) AS seat
