-- Purpose: a PENDING or CONFIRMED booking owns every seat that it lists.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, listed.seat_number, s.status AS seat_status, s.booking_id AS owner
FROM bookings AS b
CROSS JOIN LATERAL unnest(b.seat_numbers) AS listed (seat_number)
LEFT JOIN seats AS s ON s.show_id = b.show_id AND s.seat_number = listed.seat_number
WHERE b.status IN ('PENDING', 'CONFIRMED') AND s.booking_id IS DISTINCT FROM b.id
