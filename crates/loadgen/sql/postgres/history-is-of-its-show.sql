-- Purpose: every step in the history is one of a booking that there is, in the show of that booking.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT h.show_id, h.number, h.booking_id, h.event, b.show_id AS show_of_booking
FROM booking_history AS h
LEFT JOIN bookings AS b ON b.id = h.booking_id
WHERE b.id IS NULL OR b.show_id <> h.show_id
