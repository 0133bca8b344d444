-- Purpose: no hold has been dead for more than 5 seconds and still is PENDING. Only where a worker runs.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.expires_at, now() - b.expires_at AS dead_for
FROM bookings AS b
WHERE b.status = 'PENDING' AND b.expires_at < now() - interval '5 seconds'
