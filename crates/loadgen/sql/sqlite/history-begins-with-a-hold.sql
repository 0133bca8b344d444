-- Purpose: every booking has a history, and it begins with the hold that made it, or with the block if the house keeps the seats.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.blocked_for, first.event, first.from_status
FROM bookings AS b
LEFT JOIN (
    SELECT booking_id, event, from_status, row_number() OVER (PARTITION BY booking_id ORDER BY number) AS step
    FROM booking_history
) AS first ON first.booking_id = b.id AND first.step = 1
WHERE first.event IS NULL
    OR first.event <> CASE WHEN b.blocked_for IS NULL THEN 'held' ELSE 'blocked' END
    OR first.from_status IS NOT NULL
