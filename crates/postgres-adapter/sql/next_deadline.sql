-- The next deadline of a PENDING booking, and the time. Locks nothing.
SELECT min(expires_at) AS next, clock_timestamp() AS now FROM bookings WHERE status = 'PENDING'
