-- Purpose: no booking that is CONFIRMED names a payment that was in vain.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.payment_reference
FROM bookings AS b
JOIN payments AS p ON p.reference = b.payment_reference
WHERE b.status = 'CONFIRMED' AND p.in_vain
