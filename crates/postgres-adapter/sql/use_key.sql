-- Puts down a request that is to be known again, and what came of it.
--
-- $1 text, $2 bytea  key, fingerprint
-- $3 text            what came of it
-- $4 bigint          how long it is kept, in microseconds
-- $5 timestamptz     the time, or null for the database's clock
INSERT INTO idempotency_keys (key, fingerprint, outcome, expires_at)
VALUES ($1::text, $2::bytea, $3, COALESCE($5::timestamptz, clock_timestamp()) + $4::bigint * interval '1 microsecond')
