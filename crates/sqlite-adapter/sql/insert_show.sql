-- A new show; its id comes back.
-- ?1: name  ?2: start  ?3: number of seats  ?4: now  ?5: life of a hold in seconds or NULL  ?6: its limit or NULL
-- ?7: whether customers may cancel what they have bought
INSERT INTO shows (name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
RETURNING id
