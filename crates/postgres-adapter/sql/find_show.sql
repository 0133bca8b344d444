-- A show. Locks nothing.
--
-- $1 bigint  show id
SELECT id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel
FROM shows
WHERE id = $1
