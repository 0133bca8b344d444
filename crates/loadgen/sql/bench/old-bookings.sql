-- Purpose: bookings that were made and confirmed long ago, of two seats each.
-- Parameters: $1 first show, $2 number of shows, $3 seats of each, an even number; $4 first booking. Locks: none that others want.
INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, confirmed_at, created_at, updated_at, last_change)
SELECT $4::bigint + show * ($3::integer / 2) + pair, $1::bigint + show, 'guest', ARRAY[pair * 2 + 1, pair * 2 + 2], 'CONFIRMED',
       now() - interval '1 day', now() - interval '25 hours', now() - interval '26 hours', now() - interval '25 hours', 0
FROM generate_series(0, $2::integer - 1) AS show CROSS JOIN generate_series(0, $3 / 2 - 1) AS pair
