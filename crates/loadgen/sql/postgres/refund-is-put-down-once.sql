-- Purpose: each payment in vain has put down one refund, and nothing else has, but for one confirm of a booking that failed which named no
-- payment.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.refund_due, COALESCE(put_down.steps, 0) AS steps, COALESCE(vain.payments, 0) AS payments
FROM bookings AS b
LEFT JOIN (
    SELECT booking_id, count(*) AS steps FROM booking_history WHERE event = 'refund_due' GROUP BY booking_id
) AS put_down ON put_down.booking_id = b.id
LEFT JOIN (
    SELECT booking_id, count(*) AS payments FROM payments WHERE in_vain GROUP BY booking_id
) AS vain ON vain.booking_id = b.id
WHERE COALESCE(put_down.steps, 0) <> COALESCE(vain.payments, 0)
    AND NOT (b.refund_due AND COALESCE(put_down.steps, 0) = COALESCE(vain.payments, 0) + 1)
