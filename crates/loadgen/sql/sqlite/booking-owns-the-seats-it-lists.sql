-- Purpose: a PENDING or CONFIRMED booking owns every seat that it lists.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, listed.value AS seat_number, s.status AS seat_status, s.booking_id AS owner
FROM bookings AS b
CROSS JOIN json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed
LEFT JOIN seats AS s ON s.show_id = b.show_id AND s.seat_number = listed.value
WHERE b.status IN ('PENDING', 'CONFIRMED') AND s.booking_id IS NOT b.id
