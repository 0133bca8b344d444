-- Requests that were made before. Locks nothing: who comes with a key for the same seats or booking at the same time has waited for
-- their locks before this is read, and whoever uses a key for something else can't save it twice.
--
-- $1 text[]  keys
SELECT key, fingerprint, outcome, expires_at FROM idempotency_keys WHERE key = ANY ($1::text[])
