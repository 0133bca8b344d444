-- Purpose: holds of one seat each that have run out, each a little later than the one before.
-- Parameters: $1 show, $2 number of seats, $3 first booking. Locks: none that others want.
INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at)
SELECT $3::bigint + n - 1, $1::bigint, 'guest', ARRAY[n], 'PENDING',
       now() - interval '1 hour' + n * interval '1 microsecond', now() - interval '2 hours', now() - interval '2 hours'
FROM generate_series(1, $2::integer) AS n
