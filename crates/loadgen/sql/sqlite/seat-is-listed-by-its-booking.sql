-- Purpose: the booking that a seat belongs to lists it: no booking owns a seat that it did not ask for.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT s.show_id, s.seat_number, s.booking_id, b.seat_numbers
FROM seats AS s
JOIN bookings AS b ON b.id = s.booking_id AND b.show_id = s.show_id
WHERE s.seat_number NOT IN (SELECT listed.value FROM json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed)
