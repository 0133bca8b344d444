-- Locks and reads holds that have run out, those dead longest first, with their seats: a row a seat, those of a booking in a run.
--
-- $1 bigint       at most this many bookings
-- $2 timestamptz  the time, or null for the start of the transaction
-- $3 timestamptz  only deadlines from this one on, or null: what was swept a moment ago stands in the index until no snapshot can
--                 see it any more, and is not to be walked over again
--
-- Locks: bookings, then their seats, both SKIP LOCKED. This is the one path that takes a booking first, so that any number of
-- sweeps share the work; it never waits for a row, so it can't be part of a deadlock. A booking some of whose seats someone else
-- has locked comes back without those seats, and is left alone. As nothing waits, the seats need not be sorted either: those of
-- each booking are locked as it comes, in a query of their own, which is a third cheaper than to carry whole rows to the locks.
--
-- The clock is read for each row after its lock is held, see lock_seats. A row's address is good as long as it is locked.
WITH due AS MATERIALIZED (
    SELECT id, show_id, seat_numbers, expires_at, last_change, ctid AS address
    FROM bookings
    WHERE status = 'PENDING' AND expires_at <= COALESCE($2::timestamptz, now())
      AND expires_at >= COALESCE($3::timestamptz, '-infinity')
    ORDER BY expires_at
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED
)
SELECT due.*, locked.*, clock_timestamp() AS now
FROM due
CROSS JOIN LATERAL (
    SELECT s.seat_number, s.status AS seat_status, s.booking_id, s.held_until, s.ctid AS seat_address
    FROM seats s
    WHERE s.show_id = due.show_id AND s.seat_number = ANY (due.seat_numbers)
    FOR NO KEY UPDATE SKIP LOCKED
) AS locked
