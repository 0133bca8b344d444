-- A show. Locks nothing.
--
-- $1 bigint  show id
SELECT id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel,
       late_confirm, seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
FROM shows
WHERE id = $1
