-- Purpose: the seats of those holds.
-- Parameters: $1 show, $2 number of bookings, $3 first booking. Locks: none that others want.
INSERT INTO seats (show_id, seat_number, status, booking_id, held_until)
SELECT $1::bigint, seat_number, 'PENDING', b.id, b.expires_at
FROM bookings AS b CROSS JOIN unnest(b.seat_numbers) AS seat_number
WHERE b.show_id = $1 AND b.id >= $3::bigint AND b.id < $3 + $2::integer
