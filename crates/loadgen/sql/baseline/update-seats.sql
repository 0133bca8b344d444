-- Purpose: the fourth trip: the seats are the booking's.
-- Parameters: $1 show, $2 seat numbers, $3 booking, $4 deadline. Locks: held already. Yields: nothing.
UPDATE seats AS s SET status = 'PENDING', booking_id = $3, held_until = $4, padding = NULL
FROM unnest($2::integer[]) AS wanted (seat_number)
WHERE s.show_id = $1 AND s.seat_number = wanted.seat_number
