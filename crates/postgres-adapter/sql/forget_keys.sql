-- Forgets requests whose time is over, the oldest first.
--
-- $1 bigint       at most this many
-- $2 timestamptz  the time, or null for the start of the transaction
--
-- Locks: keys, SKIP LOCKED.
DELETE FROM idempotency_keys
WHERE key = ANY (ARRAY(
    SELECT key
    FROM idempotency_keys
    WHERE expires_at <= COALESCE($2::timestamptz, now())
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
))
