-- What a customer has in a show and has not lost, newest first. Locks nothing.
--
-- $1 text         only those in this status as of now (a dead hold counts as FAILED): not FAILED
-- $2 bigint       only ids below this one, or null
-- $3 bigint       at most this many
-- $4 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
-- $5 bigint       show id
-- $6 text         customer
-- $7 timestamptz  only those made at this time or later, or null
-- $8 timestamptz  only those made before this time, or null
-- $9 boolean      only those with this refund_due, or null
--
-- They are found in bookings_of_customer, all of them: few, whatever the table holds.
WITH b AS MATERIALIZED (
    SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due, reclaimed,
           expires_at, confirmed_at, created_at, updated_at
    FROM bookings
    WHERE show_id = $5 AND customer = $6::text AND customer IS NOT NULL AND status <> 'FAILED'
)
SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
       b.failure_reason, b.refund_due, b.reclaimed,
       b.expires_at, b.confirmed_at, b.created_at, b.updated_at, at.now
FROM (SELECT COALESCE($4::timestamptz, now()) AS now) AS at
CROSS JOIN b
WHERE b.id < COALESCE($2::bigint, 9223372036854775807)
  AND $1::text = CASE WHEN b.status = 'PENDING' AND b.expires_at <= at.now THEN 'FAILED' ELSE b.status END
  AND ($7::timestamptz IS NULL OR b.created_at >= $7)
  AND ($8::timestamptz IS NULL OR b.created_at < $8)
  AND ($9::boolean IS NULL OR b.refund_due = $9)
ORDER BY b.id DESC
LIMIT $3
