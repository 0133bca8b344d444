-- Brings bookings to their new states. Their rows are locked by the caller; no other lock is taken.
--
-- $1 timestamptz    the instant of the change
-- $2 bigint[]       ids
-- $3 text[]         new statuses
-- $4 text[]         failure reasons, or null
-- $5 timestamptz[]  when confirmed, or null
UPDATE bookings b
SET status = change.status, failure_reason = change.failure_reason, confirmed_at = change.confirmed_at, updated_at = $1
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) AS change (id, status, failure_reason, confirmed_at)
WHERE b.id = change.id
