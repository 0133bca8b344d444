-- A payment that was not named before.
-- ?1: reference  ?2: show  ?3: booking  ?4: now  ?5: whether it bought nothing
INSERT INTO payments (reference, show_id, booking_id, recorded_at, in_vain)
VALUES (?1, ?2, ?3, ?4, ?5)
