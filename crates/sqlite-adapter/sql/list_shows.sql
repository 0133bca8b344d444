-- Shows, newest first.
-- ?1: only ids below this one  ?2: how many at most
SELECT id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
       seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at, cancelled_at, revision
  FROM shows
 WHERE id < ?1
 ORDER BY id DESC
 LIMIT ?2
