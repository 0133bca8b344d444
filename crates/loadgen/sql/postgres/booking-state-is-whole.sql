-- Purpose: a booking has one of the three states, and all that this state has and nothing else.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.failure_reason, b.created_at, b.expires_at, b.confirmed_at
FROM bookings AS b
WHERE b.status IS NULL
    OR b.status NOT IN ('PENDING', 'CONFIRMED', 'FAILED')
    OR (b.status = 'FAILED') <> (b.failure_reason IS NOT NULL)
    OR (b.status = 'CONFIRMED') <> (b.confirmed_at IS NOT NULL)
    OR b.expires_at IS NULL
    OR b.expires_at <= b.created_at
