-- Purpose: a booking lists at least one seat, in ascending order and none twice; a FAILED one still lists what it held.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.seat_numbers
FROM bookings AS b
WHERE b.seat_numbers IS NULL
    OR cardinality(b.seat_numbers) = 0
    OR b.seat_numbers IS DISTINCT FROM ARRAY(SELECT DISTINCT n FROM unnest(b.seat_numbers) AS listed (n) ORDER BY n)
