-- Brings bookings to what they have become. Their rows are locked by the caller; no other lock is taken.
--
-- $1 timestamptz          the instant of the change
-- $2 bigint[], $3 text[]  id, new status
-- $4 text[], $5 boolean[] failure reason or null, whether a refund is due
-- $6 timestamptz[]        when confirmed, or null
-- $7 text[]               seat numbers as an array literal
-- $8 timestamptz[]        deadline
-- $9 text[], $10 boolean[]  payment or null, whether it was reclaimed
UPDATE bookings b
SET status = change.status, failure_reason = change.failure_reason, refund_due = change.refund_due,
    confirmed_at = change.confirmed_at, seat_numbers = change.seat_numbers::integer[], expires_at = change.expires_at,
    updated_at = $1, payment_reference = change.payment_reference, reclaimed = change.reclaimed
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::text[], $8::timestamptz[],
            $9::text[], $10::boolean[])
     AS change (id, status, failure_reason, refund_due, confirmed_at, seat_numbers, expires_at, payment_reference, reclaimed)
WHERE b.id = change.id
