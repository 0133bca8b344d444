-- Purpose: holds that have run out, each a little later than the one before, of neighbouring seats.
-- Parameters: $1 show, $2 number of bookings, $3 seats of each, $4 first booking. Locks: none that others want.
INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
SELECT $4::bigint + n, $1::bigint, 'guest', ARRAY(SELECT n * $3::integer + seat FROM generate_series(1, $3) AS seat), 'PENDING',
       now() - interval '1 hour' + n * interval '1 microsecond', now() - interval '2 hours', now() - interval '2 hours', 0
FROM generate_series(0, $2::integer - 1) AS n
