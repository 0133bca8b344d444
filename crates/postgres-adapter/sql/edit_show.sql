-- Changes what is said of a show, if it still is as it was read; no row if it is not.
--
-- $1 bigint, $2 integer        show id, expected revision
-- $3 text, $4 timestamptz      name, when it starts
-- $5 integer, $6 integer       how long a hold lives, and can live with its extensions, in seconds, or null
-- $7 boolean, $8 boolean       whether customers may cancel what they have bought, whether late confirms are taken
-- $9 integer, $10 integer      most seats of a booking, most seats of a customer, or null
-- $11 integer                  most live holds of a customer, or null
-- $12 timestamptz, $13 timestamptz  when the sale begins and ends, or null
--
-- Locks: the show, and nothing else: so it can't be part of a deadlock.
UPDATE shows
SET name = $3, start_time = $4, hold_seconds = $5, hold_limit_seconds = $6, customers_may_cancel = $7, late_confirm = $8,
    seats_per_booking = $9, seats_per_customer = $10, holds_per_customer = $11, on_sale_at = $12, off_sale_at = $13,
    revision = revision + 1
WHERE id = $1 AND revision = $2
RETURNING id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
          seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
