-- PENDING bookings that are not dead, newest first: few, whatever the table holds. Locks nothing.
--
-- $1 bigint       only ids below this one, or null
-- $2 bigint       at most this many
-- $3 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
       b.failure_reason, b.refund_due, b.reclaimed,
       b.expires_at, b.confirmed_at, b.created_at, b.updated_at, COALESCE($3::timestamptz, now()) AS now
FROM bookings b
WHERE b.status = 'PENDING'
  AND b.expires_at > COALESCE($3::timestamptz, now())
  AND b.id < COALESCE($1::bigint, 9223372036854775807)
ORDER BY b.id DESC
LIMIT $2
