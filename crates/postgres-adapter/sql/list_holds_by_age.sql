-- Holds that live, those made first first: few, whatever the table holds. Locks nothing.
--
-- $1 bigint       only ids above this one, or null
-- $2 bigint       at most this many
-- $3 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
-- $4 bigint       only those of this show, or null
SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
       b.failure_reason, b.refund_due, b.reclaimed,
       b.expires_at, b.confirmed_at, b.created_at, b.updated_at, at.now
FROM (SELECT COALESCE($3::timestamptz, now()) AS now) AS at
CROSS JOIN bookings b
WHERE b.status = 'PENDING'
  AND b.expires_at > at.now
  AND b.id > COALESCE($1::bigint, 0)
  AND ($4::bigint IS NULL OR b.show_id = $4)
ORDER BY b.id
LIMIT $2
