-- PENDING bookings that are not dead, newest first: few, whatever the table holds. Locks nothing.
--
-- $1 text         PENDING
-- $2 bigint       only ids below this one, or null
-- $3 bigint       at most this many
-- $4 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
-- $5 bigint       only those of this show, or null
-- $6 text         only those of this customer, or null
-- $7 timestamptz  only those made at this time or later, or null
-- $8 timestamptz  only those made before this time, or null
-- $9 boolean      only those with this refund_due, or null
SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
       b.failure_reason, b.refund_due, b.reclaimed,
       b.expires_at, b.confirmed_at, b.created_at, b.updated_at, at.now
FROM (SELECT COALESCE($4::timestamptz, now()) AS now) AS at
CROSS JOIN bookings b
WHERE b.status = 'PENDING' AND b.status = $1::text
  AND b.expires_at > at.now
  AND b.id < COALESCE($2::bigint, 9223372036854775807)
  AND ($5::bigint IS NULL OR b.show_id = $5)
  AND ($6::text IS NULL OR b.customer = $6)
  AND ($7::timestamptz IS NULL OR b.created_at >= $7)
  AND ($8::timestamptz IS NULL OR b.created_at < $8)
  AND ($9::boolean IS NULL OR b.refund_due = $9)
ORDER BY b.id DESC
LIMIT $3
