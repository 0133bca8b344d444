-- A new booking; its id comes back.
-- ?1: show  ?2: user name  ?3: seats, a JSON array  ?4: status  ?5: deadline  ?6: now
INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
RETURNING id
