-- Purpose: the payment that a booking names is one of its own.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.payment_reference
FROM bookings AS b
LEFT JOIN payments AS p ON p.reference = b.payment_reference AND p.booking_id = b.id
WHERE b.payment_reference IS NOT NULL AND p.reference IS NULL
