-- Forgets these requests, whose time is over, so that their keys can be used again.
--
-- $1 text[]       keys
-- $2 timestamptz  the time, or null for the start of the transaction
DELETE FROM idempotency_keys WHERE key = ANY ($1::text[]) AND expires_at <= COALESCE($2::timestamptz, now())
