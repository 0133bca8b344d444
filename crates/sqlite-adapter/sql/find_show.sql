-- A show.
-- ?1: show
SELECT id, name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel
  FROM shows
 WHERE id = ?1
