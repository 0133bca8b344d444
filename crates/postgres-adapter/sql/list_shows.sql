-- Shows, newest first. Locks nothing.
--
-- $1 bigint  only ids below this one, or null
-- $2 bigint  at most this many
SELECT id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel,
       late_confirm, seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
FROM shows
WHERE id < COALESCE($1::bigint, 9223372036854775807)
ORDER BY id DESC
LIMIT $2
