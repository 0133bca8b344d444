-- Purpose: every payment is for a booking that there is, in the show of that booking; no foreign key sees to it.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT p.reference, p.show_id, p.booking_id, b.show_id AS show_of_booking
FROM payments AS p
LEFT JOIN bookings AS b ON b.id = p.booking_id
LEFT JOIN shows AS s ON s.id = p.show_id
WHERE b.id IS NULL OR s.id IS NULL OR b.show_id <> p.show_id
