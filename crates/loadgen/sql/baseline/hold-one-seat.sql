-- Purpose: all of a hold of one seat in one statement: one look into one index, one change, one new row.
-- Parameters: $1 show, $2 seat number, $3 user. Locks: that seat. Yields: the booking's id; nothing if the seat is not free.
WITH taken AS (
    UPDATE seats
    SET status = 'PENDING', booking_id = nextval('bookings_id_seq'), held_until = now() + interval '120 seconds', padding = NULL
    WHERE show_id = $1 AND seat_number = $2 AND status = 'AVAILABLE'
    RETURNING booking_id, held_until
)
INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
SELECT booking_id, $1, $3::text, ARRAY[$2], 'PENDING', held_until, now(), now(), 0 FROM taken
RETURNING id
