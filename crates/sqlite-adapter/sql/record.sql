-- What happened to a booking, under its number in its show.
-- ?1: booking  ?2: number  ?3: show  ?4: now  ?5: event  ?6: status before or NULL  ?7: who  ?8: seats, a JSON array
INSERT INTO booking_history (booking_id, number, show_id, happened_at, event, from_status, actor, seat_numbers)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
