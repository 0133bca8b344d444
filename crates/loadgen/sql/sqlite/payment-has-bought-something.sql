-- Purpose: a payment that is not in vain has bought what its booking was sold for: the booking names it, and is CONFIRMED, or FAILED
-- with a refund due.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT p.reference, p.booking_id, b.status, b.refund_due, b.payment_reference
FROM payments AS p
JOIN bookings AS b ON b.id = p.booking_id
WHERE NOT p.in_vain
    AND (b.payment_reference IS NULL OR b.payment_reference <> p.reference
        OR (b.status <> 'CONFIRMED' AND NOT (b.status = 'FAILED' AND b.refund_due)))
