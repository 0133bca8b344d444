-- Requests that were made before.
-- ?1: their keys, a JSON array of texts.
SELECT key, fingerprint, outcome, expires_at
  FROM idempotency_keys
 WHERE key IN (SELECT value FROM json_each(?1))
