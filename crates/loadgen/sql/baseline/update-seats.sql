-- Purpose: the fourth trip: the seats are the booking's.
-- Parameters: $1 show, $2 seat numbers, $3 booking, $4 deadline. Locks: held already. Yields: nothing.
UPDATE seats SET status = 'PENDING', booking_id = $3, held_until = $4 WHERE show_id = $1 AND seat_number = ANY ($2)
