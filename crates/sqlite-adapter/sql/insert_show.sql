-- A new show; its id comes back.
-- ?1: name  ?2: start  ?3: number of seats  ?4: now
INSERT INTO shows (name, start_time, total_seats, created_at)
VALUES (?1, ?2, ?3, ?4)
RETURNING id
