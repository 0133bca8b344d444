-- Those of the named shows that exist.
-- ?1: their ids, a JSON array of integers.
SELECT id, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
       seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision, changes
  FROM shows
 WHERE id IN (SELECT value FROM json_each(?1))
