-- Purpose: no seat belongs to two live bookings, whatever the seats themselves say.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, listed.value AS seat_number, group_concat(b.id) AS booking_ids
FROM bookings AS b
CROSS JOIN json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed
WHERE b.status IN ('PENDING', 'CONFIRMED')
GROUP BY b.show_id, listed.value
HAVING count(DISTINCT b.id) > 1
