-- What happened to a booking, under the next number of its show.
-- ?1: show  ?2: booking  ?3: now  ?4: event  ?5: status before or NULL  ?6: who  ?7: seats, a JSON array
INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
VALUES (?1, COALESCE((SELECT max(number) FROM booking_history WHERE show_id = ?1), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7)
