-- Forgets requests whose time is over, the oldest first.
-- ?1: how many at most  ?2: now
DELETE FROM idempotency_keys
 WHERE key IN (SELECT key FROM idempotency_keys WHERE expires_at <= ?2 ORDER BY expires_at LIMIT ?1)
