-- A new booking, under the next id.
-- ?1: show  ?2: user name  ?3: seats, a JSON array  ?4: status  ?5: deadline  ?6: instant of the sale or NULL  ?7: now  ?8: customer or NULL
-- ?9: why the house keeps the seats, or NULL
INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, confirmed_at, created_at, updated_at, customer, blocked_for)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)
