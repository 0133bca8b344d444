-- Purpose: there is no payment and no refund for seats that the house keeps from sale, and they are no hold.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.blocked_for, b.refund_due, p.reference
FROM bookings AS b
LEFT JOIN payments AS p ON p.booking_id = b.id
WHERE b.blocked_for IS NOT NULL AND (p.reference IS NOT NULL OR b.refund_due OR b.status = 'PENDING')
