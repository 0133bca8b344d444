-- A booking and how its seats stand: a row a seat. Locks nothing.
--
-- $1 bigint       booking id
-- $2 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
       b.failure_reason, b.refund_due, b.reclaimed,
       b.expires_at, b.confirmed_at, b.created_at, b.updated_at, b.last_change,
       s.seat_number, s.status AS seat_status, s.booking_id, s.held_until,
       at.now
FROM (SELECT COALESCE($2::timestamptz, now()) AS now) AS at
CROSS JOIN bookings b
JOIN seats s ON s.show_id = b.show_id AND s.seat_number = ANY (b.seat_numbers)
WHERE b.id = $1
ORDER BY s.seat_number
