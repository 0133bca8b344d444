-- A request that is to be known again; in place of one whose time is over.
-- ?1: key  ?2: fingerprint  ?3: what came of it  ?4: until when  ?5: now
INSERT INTO idempotency_keys (key, fingerprint, outcome, expires_at)
VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key) DO UPDATE
   SET fingerprint = excluded.fingerprint, outcome = excluded.outcome, expires_at = excluded.expires_at
 WHERE idempotency_keys.expires_at <= ?5
