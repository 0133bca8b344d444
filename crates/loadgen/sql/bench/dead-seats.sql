-- Purpose: every so-manieth of those holds takes its seats, as a sale takes them: in place, each page in many steps.
-- Parameters: $1 show, $2 number of bookings, $3 first booking, $4 steps, $5 which of them, from 0. Locks: none that others want.
UPDATE seats AS s
SET status = 'PENDING', booking_id = b.id, held_until = b.expires_at, padding = NULL
FROM bookings AS b CROSS JOIN unnest(b.seat_numbers) AS listed (seat_number)
WHERE b.show_id = $1::bigint AND b.id >= $3::bigint AND b.id < $3 + $2::integer AND b.id % $4::bigint = $5::bigint
  AND s.show_id = $1 AND s.seat_number = listed.seat_number
