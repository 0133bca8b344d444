-- Locks and reads holds that have run out, those dead longest first, with their seats: a row a seat.
--
-- $1 bigint       at most this many bookings
-- $2 timestamptz  the time, or null for the start of the transaction
-- $3 timestamptz  only deadlines from this one on, or null: what was swept a moment ago stands in the index until no snapshot can
--                 see it any more, and is not to be walked over again
--
-- Locks: bookings, then their seats, both SKIP LOCKED. This is the one path that takes a booking first, so that any number of
-- sweeps share the work; it never waits for a row, so it can't be part of a deadlock. A booking some of whose seats someone else
-- has locked comes back without those seats, and is left alone.
--
-- The clock is read for each row after its lock is held, see lock_seats.
WITH due AS MATERIALIZED (
    SELECT id, show_id, user_name, seat_numbers, status, failure_reason, expires_at, confirmed_at, created_at, updated_at
    FROM bookings
    WHERE status = 'PENDING' AND expires_at <= COALESCE($2::timestamptz, now())
      AND expires_at >= COALESCE($3::timestamptz, '-infinity')
    ORDER BY expires_at
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED
)
SELECT locked.*, clock_timestamp() AS now
FROM (
    SELECT due.id, due.show_id, due.user_name, due.seat_numbers, due.status, due.failure_reason,
           due.expires_at, due.confirmed_at, due.created_at, due.updated_at,
           s.seat_number, s.status AS seat_status, s.booking_id, s.held_until
    FROM due
    CROSS JOIN unnest(due.seat_numbers) AS listed (seat_number)
    JOIN seats s ON s.show_id = due.show_id AND s.seat_number = listed.seat_number
    ORDER BY s.show_id, s.seat_number
    FOR NO KEY UPDATE OF s SKIP LOCKED
) AS locked
