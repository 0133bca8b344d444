-- Purpose: all of a hold of several seats in one statement.
-- Parameters: $1 show, $2 seat numbers, $3 user. Locks: those seats that are free, in the order of their numbers.
-- Yields: the booking's id, a row a seat; nothing if a seat is not free.
WITH free AS MATERIALIZED (
    SELECT s.seat_number
    FROM unnest($2::integer[]) AS wanted (seat_number)
    JOIN seats AS s ON s.show_id = $1 AND s.seat_number = wanted.seat_number AND s.status = 'AVAILABLE'
    ORDER BY s.seat_number
    FOR UPDATE OF s
), booking AS (
    INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
    SELECT $1, $3::text, $2, 'PENDING', now() + interval '120 seconds', now(), now(), 0
    WHERE (SELECT count(*) FROM free) = cardinality($2)
    RETURNING id, expires_at
)
UPDATE seats AS s SET status = 'PENDING', booking_id = booking.id, held_until = booking.expires_at, padding = NULL
FROM booking CROSS JOIN unnest($2) AS wanted (seat_number)
WHERE s.show_id = $1 AND s.seat_number = wanted.seat_number
RETURNING s.booking_id
