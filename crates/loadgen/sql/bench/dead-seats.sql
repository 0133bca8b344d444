-- Purpose: the seats of those holds.
-- Parameters: $1 show, $2 number of seats, $3 first booking. Locks: none that others want.
INSERT INTO seats (show_id, seat_number, status, booking_id, held_until)
SELECT $1::bigint, b.seat_numbers[1], 'PENDING', b.id, b.expires_at
FROM bookings AS b
WHERE b.show_id = $1 AND b.id >= $3::bigint AND b.id < $3 + $2::integer
