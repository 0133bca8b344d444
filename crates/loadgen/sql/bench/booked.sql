-- Purpose: what the tables hold of some shows, to be compared with what was answered.
-- Parameters: $1 first show, $2 last show. Locks: none. Yields: a row a booking.
SELECT id, show_id, seat_numbers, status FROM bookings WHERE show_id BETWEEN $1 AND $2 ORDER BY id
