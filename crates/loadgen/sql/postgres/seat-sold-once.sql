-- Purpose: no seat belongs to two live bookings, whatever the seats themselves say.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, listed.seat_number, array_agg(b.id ORDER BY b.id) AS booking_ids
FROM bookings AS b
CROSS JOIN LATERAL unnest(b.seat_numbers) AS listed (seat_number)
WHERE b.status IN ('PENDING', 'CONFIRMED')
GROUP BY b.show_id, listed.seat_number
HAVING count(DISTINCT b.id) > 1
