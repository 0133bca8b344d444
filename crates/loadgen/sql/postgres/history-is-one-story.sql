-- Purpose: every step in a booking's history is a legal one, and begins where the step before it has led.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT show_id, number, booking_id, event, from_status, led_to
FROM (
    SELECT show_id, number, booking_id, event, from_status,
           lag(CASE event WHEN 'confirmed' THEN 'CONFIRMED' WHEN 'expired' THEN 'FAILED' WHEN 'cancelled' THEN 'FAILED' ELSE 'PENDING' END)
               OVER (PARTITION BY booking_id ORDER BY number) AS led_to
    FROM booking_history
) AS step
WHERE from_status IS DISTINCT FROM led_to
    OR (event = 'held') <> (from_status IS NULL)
    OR (event <> 'held' AND from_status <> 'PENDING' AND NOT (event = 'cancelled' AND from_status = 'CONFIRMED'))
