-- Purpose: a seat is free and has no booking, or it is held or sold and its booking says the same.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT s.show_id, s.seat_number, s.status AS seat_status, s.booking_id, b.status AS booking_status
FROM seats AS s
LEFT JOIN bookings AS b ON b.id = s.booking_id AND b.show_id = s.show_id
WHERE CASE s.status
    WHEN 'AVAILABLE' THEN s.booking_id IS NOT NULL
    WHEN 'PENDING' THEN coalesce(b.status, '') <> 'PENDING'
    WHEN 'CONFIRMED' THEN coalesce(b.status, '') <> 'CONFIRMED'
    ELSE true
END
