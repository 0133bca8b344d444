-- Purpose: what is kept as the outcome of a request has happened: the booking's history has such a step, the show is there.
-- (A cancelled show has cancelled its bookings.)
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT kept.key, kept.outcome
FROM (
    SELECT key, outcome, split_part(outcome, ' ', 1) AS done, CAST(substring(outcome FROM '^[a-z_]+ ([0-9]{1,18})') AS bigint) AS id
    FROM idempotency_keys
) AS kept
LEFT JOIN (
    SELECT DISTINCT booking_id, CASE event WHEN 'show_cancelled' THEN 'cancelled' ELSE event END AS event
    FROM booking_history
) AS h ON h.booking_id = kept.id AND h.event = kept.done
LEFT JOIN shows AS s ON s.id = kept.id AND kept.done = 'show_created'
WHERE kept.done IN ('held', 'blocked', 'extended', 'changed', 'confirmed', 'reclaimed', 'expired', 'cancelled', 'show_created')
    AND h.booking_id IS NULL AND s.id IS NULL
