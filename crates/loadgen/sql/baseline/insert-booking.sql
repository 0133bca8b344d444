-- Purpose: the third trip: the booking.
-- Parameters: $1 show, $2 user, $3 seat numbers. Locks: none that others want. Yields: its id and its deadline.
INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
VALUES ($1, $2::text, $3::integer[], 'PENDING', now() + interval '120 seconds', now(), now(), 0)
RETURNING id, expires_at
