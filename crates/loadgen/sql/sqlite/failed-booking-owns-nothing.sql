-- Purpose: a FAILED booking owns no seat.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, s.seat_number, s.status AS seat_status
FROM seats AS s
JOIN bookings AS b ON b.id = s.booking_id AND b.show_id = s.show_id
WHERE b.status = 'FAILED'
