-- Cancels a show; no row if it is cancelled already, or is none.
--
-- $1 bigint       show id
-- $2 text         who
-- $3 timestamptz  the time, or null for the database's clock
--
-- Locks: the show, and nothing else. Whoever has it for a batch is waited for; whoever has it next sees that it is cancelled.
UPDATE shows
SET cancelled_at = COALESCE($3::timestamptz, clock_timestamp()), cancelled_by = $2, calling_off = true, revision = revision + 1
WHERE id = $1 AND cancelled_at IS NULL
RETURNING id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
          seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
