-- The next deadline of a PENDING booking, and the time. Locks nothing.
--
-- $1 timestamptz  only deadlines from this one on, or null, as in lock_due
SELECT min(expires_at) AS next, clock_timestamp() AS now
FROM bookings
WHERE status = 'PENDING' AND expires_at >= COALESCE($1::timestamptz, '-infinity')
