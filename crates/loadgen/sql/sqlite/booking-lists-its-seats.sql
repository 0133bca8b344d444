-- Purpose: a booking lists at least one seat, in ascending order and none twice; a FAILED one still lists what it held.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.seat_numbers
FROM bookings AS b
WHERE NOT coalesce(json_valid(b.seat_numbers), false)
    OR CASE WHEN json_valid(b.seat_numbers) THEN json_type(b.seat_numbers) <> 'array' OR json_array_length(b.seat_numbers) = 0 END
    OR EXISTS (
        SELECT 1 FROM json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed WHERE listed.type <> 'integer'
    )
    OR EXISTS (
        SELECT 1
        FROM json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS listed
        JOIN json_each(CASE WHEN json_valid(b.seat_numbers) THEN b.seat_numbers ELSE '[]' END) AS next ON next.key = listed.key + 1
        WHERE next.value <= listed.value
    )
