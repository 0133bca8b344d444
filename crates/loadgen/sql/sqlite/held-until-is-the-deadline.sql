-- Purpose: a held seat is blocked until its booking's deadline, to the microsecond, and no other seat is blocked.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT s.show_id, s.seat_number, s.status AS seat_status, s.booking_id, s.held_until, b.expires_at
FROM seats AS s
LEFT JOIN bookings AS b ON b.id = s.booking_id AND b.show_id = s.show_id
WHERE CASE WHEN s.status = 'PENDING' THEN s.held_until IS NOT b.expires_at ELSE s.held_until IS NOT NULL END
    OR (s.status = 'PENDING' AND s.held_until IS NULL)
