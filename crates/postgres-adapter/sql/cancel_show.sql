-- Cancels a show, and returns it; no row if there is none. What is cancelled already stays as it is.
--
-- $1 bigint       show id
-- $2 text         who
-- $3 timestamptz  the time, or null for the database's clock
--
-- Locks: the show, and nothing else. Whoever has it for a batch is waited for; whoever has it next sees that it is cancelled.
UPDATE shows
SET cancelled_at = COALESCE(cancelled_at, $3::timestamptz, clock_timestamp()), cancelled_by = COALESCE(cancelled_by, $2),
    calling_off = calling_off OR cancelled_at IS NULL, revision = revision + (cancelled_at IS NULL)::integer
WHERE id = $1
RETURNING id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
          seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
