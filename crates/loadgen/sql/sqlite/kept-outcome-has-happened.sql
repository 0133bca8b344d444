-- Purpose: what is kept as the outcome of a request has happened: the booking's history has such a step, the show is there.
-- (A cancelled show has cancelled its bookings.)
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT kept.key, kept.outcome
FROM (
    SELECT key, outcome, substr(outcome, 1, instr(outcome, ' ') - 1) AS done,
           CAST(substr(outcome, instr(outcome, ' ') + 1) AS INTEGER) AS id
    FROM idempotency_keys
) AS kept
WHERE kept.done IN ('held', 'blocked', 'extended', 'changed', 'confirmed', 'reclaimed', 'expired', 'cancelled', 'show_created')
    AND NOT EXISTS (
        SELECT 1 FROM booking_history AS h
        WHERE h.booking_id = kept.id AND CASE h.event WHEN 'show_cancelled' THEN 'cancelled' ELSE h.event END = kept.done
    )
    AND NOT EXISTS (SELECT 1 FROM shows AS s WHERE s.id = kept.id AND kept.done = 'show_created')
