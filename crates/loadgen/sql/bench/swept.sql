-- Purpose: how fast holds were swept, by the instants that the batches wrote down: the first batch's work came before its
-- instant, so its bookings don't count.
-- Parameters: $1 show. Locks: none. Yields: bookings after the first batch, seconds from the first to the last, all FAILED ones.
WITH failed AS MATERIALIZED (
    SELECT updated_at FROM bookings WHERE show_id = $1 AND status = 'FAILED'
), first AS MATERIALIZED (
    SELECT min(updated_at) AS at FROM failed
)
SELECT count(*) FILTER (WHERE updated_at > first.at), extract(epoch FROM max(updated_at) - min(first.at))::float8, count(*)
FROM failed CROSS JOIN first
