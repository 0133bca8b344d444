-- Purpose: every step in a booking's history is a legal one, and begins where the step before it has led.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT show_id, number, booking_id, event, from_status, led_to
FROM (
    SELECT show_id, number, booking_id, event, from_status,
           lag(event) OVER steps AS event_before,
           -- What puts down a refund leaves the booking where it stands.
           lag(CASE WHEN event IN ('confirmed', 'reclaimed', 'blocked') THEN 'CONFIRMED'
                    WHEN event IN ('expired', 'cancelled', 'show_cancelled') THEN 'FAILED'
                    WHEN event = 'refund_due' THEN from_status
                    ELSE 'PENDING' END) OVER steps AS led_to
    FROM booking_history
    WINDOW steps AS (PARTITION BY booking_id ORDER BY number)
) AS step
WHERE from_status IS NOT led_to
    OR (event IN ('held', 'blocked')) <> (from_status IS NULL)
    OR (event IN ('extended', 'changed', 'confirmed', 'expired') AND from_status <> 'PENDING')
    OR (event IN ('cancelled', 'show_cancelled') AND from_status = 'FAILED')
    OR (event = 'refund_due' AND from_status = 'PENDING')
    OR (event = 'reclaimed' AND from_status <> 'PENDING' AND event_before <> 'expired')
