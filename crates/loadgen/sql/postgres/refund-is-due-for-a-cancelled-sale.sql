-- Purpose: a refund is due exactly for the bookings that were sold and then cancelled.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.failure_reason, b.refund_due, h.number AS cancelled_by
FROM bookings AS b
LEFT JOIN booking_history AS h ON h.booking_id = b.id AND h.event = 'cancelled' AND h.from_status = 'CONFIRMED'
WHERE b.refund_due <> (h.number IS NOT NULL) OR (b.refund_due AND b.status <> 'FAILED')
