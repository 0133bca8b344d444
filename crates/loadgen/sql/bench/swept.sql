-- Purpose: how fast seats were swept, by the instants that the batches wrote down: the first batch's work came before its
-- instant, so its seats don't count.
-- Parameters: $1 show. Locks: none. Yields: seats after the first batch, seconds from the first to the last, seats of all FAILED ones.
WITH failed AS MATERIALIZED (
    SELECT updated_at, cardinality(seat_numbers) AS seats FROM bookings WHERE show_id = $1 AND status = 'FAILED'
), first AS MATERIALIZED (
    SELECT min(updated_at) AS at FROM failed
)
SELECT COALESCE(sum(seats) FILTER (WHERE updated_at > first.at), 0), extract(epoch FROM max(updated_at) - min(first.at))::float8,
       COALESCE(sum(seats), 0)
FROM failed CROSS JOIN first
