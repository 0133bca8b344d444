-- Purpose: every step in a booking's history names the one before it, and the booking names the last one.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT show_id, number, booking_id, previous, before
FROM (
    SELECT show_id, number, booking_id, previous, lag(number) OVER (PARTITION BY booking_id ORDER BY number) AS before
    FROM booking_history
) AS step
WHERE previous IS NOT before
UNION ALL
SELECT b.show_id, NULL, b.id, b.last_change, last.number
FROM bookings AS b
LEFT JOIN (SELECT booking_id, max(number) AS number FROM booking_history GROUP BY booking_id) AS last ON last.booking_id = b.id
WHERE b.last_change IS NOT last.number
