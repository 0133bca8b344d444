-- Purpose: every seat that a booking lists, a FAILED one's too, is a seat of its show.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, listed.seat_number
FROM bookings AS b
CROSS JOIN LATERAL unnest(b.seat_numbers) AS listed (seat_number)
WHERE NOT EXISTS (
    SELECT 1 FROM seats AS s WHERE s.show_id = b.show_id AND s.seat_number = listed.seat_number
)
