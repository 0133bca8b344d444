-- Purpose: every seat that a booking lists, a FAILED one's too, is a seat of its show.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, listed.value AS seat_number
FROM bookings AS b
CROSS JOIN json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed
WHERE NOT EXISTS (
    SELECT 1 FROM seats AS s WHERE s.show_id = b.show_id AND s.seat_number = listed.value
)
