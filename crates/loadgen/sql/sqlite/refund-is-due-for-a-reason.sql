-- Purpose: a refund is due exactly for the bookings that were sold and then cancelled, and for those that failed and whose history says
-- that one is due. What the house kept from sale was not sold.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.failure_reason, b.blocked_for, b.refund_due, reason.steps
FROM bookings AS b
LEFT JOIN (
    SELECT h.booking_id, count(*) AS steps
    FROM booking_history AS h
    JOIN bookings AS of ON of.id = h.booking_id
    WHERE (h.event IN ('cancelled', 'show_cancelled') AND h.from_status = 'CONFIRMED' AND of.blocked_for IS NULL)
        OR (h.event = 'refund_due' AND h.from_status = 'FAILED')
    GROUP BY h.booking_id
) AS reason ON reason.booking_id = b.id
WHERE b.refund_due <> (reason.steps IS NOT NULL) OR (b.refund_due AND b.status <> 'FAILED')
