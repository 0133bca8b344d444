-- Saves a batch if all of its rows are as expected, and else changes nothing: a transaction of its own. Returns the time and the ids
-- of the new bookings in order; no row if nothing was saved.
--
-- $1 timestamptz                the time, or null for the database's clock
-- $2 timestamptz                the instant from which on it is too late, or null
-- seats, each but once:
-- $3 bigint[], $4 bigint[]      show, number
-- $5 bigint[], $6 timestamptz[] expected: booking that has it, deadline of the hold; null for none
-- $7 text[]                     new status
-- $8 bigint[], $9 bigint[]      new booking that has it, by id or as an index (from 1) into the new bookings
-- $10 bigint[]                  how long it is held, in microseconds; null for not at all
-- new bookings:
-- $11 bigint[], $12 text[]      show, user name
-- $13 text[], $14 bigint[]      seat numbers as an array literal, how long they are held in microseconds
-- bookings to be confirmed, each but once, all of them expected to be PENDING:
-- $15 bigint[], $16 text[]      id, expected seat numbers as an array literal
-- $17 timestamptz[]             expected deadline
--
-- Locks: the seats, in key order; then the bookings, in the order of their ids; each in a query of its own, see lock_seats. Only
-- locked rows are compared, and the clock is read when all of them are locked.
WITH seat AS MATERIALIZED (
    SELECT locked.booking_id IS NOT DISTINCT FROM expected.booking_id
           AND locked.held_until IS NOT DISTINCT FROM expected.held_until AS as_expected,
           expected.show_id, expected.seat_number, expected.status, expected.old_booking, expected.new_booking, expected.hold_for
    FROM (
        SELECT *
        FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])
             AS given (show_id, seat_number, booking_id, held_until, status, old_booking, new_booking, hold_for)
        ORDER BY show_id, seat_number
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT s.booking_id, s.held_until
        FROM seats s
        WHERE s.show_id = expected.show_id AND s.seat_number = expected.seat_number
        FOR NO KEY UPDATE
    ) AS locked
), seats_found AS MATERIALIZED (
    SELECT count(*) AS n FROM seat WHERE as_expected
), booking AS MATERIALIZED (
    SELECT locked.status = 'PENDING' AND locked.expires_at = expected.expires_at
           AND locked.seat_numbers = expected.seat_numbers::integer[] AS as_expected,
           expected.id
    FROM (
        SELECT *
        FROM unnest($15::bigint[], $16::text[], $17::timestamptz[]) AS given (id, seat_numbers, expires_at)
        WHERE (SELECT n FROM seats_found) = cardinality($3)
        ORDER BY id
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT b.status, b.expires_at, b.seat_numbers
        FROM bookings b
        WHERE b.id = expected.id
        FOR NO KEY UPDATE
    ) AS locked
), bookings_found AS MATERIALIZED (
    SELECT count(*) AS n FROM booking WHERE as_expected
), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS read
    FROM seats_found CROSS JOIN bookings_found
    WHERE seats_found.n = cardinality($3) AND bookings_found.n = cardinality($15)
), foreseen AS MATERIALIZED (
    SELECT now
    FROM (SELECT COALESCE($1::timestamptz, read) AS now FROM clock) AS reading
    WHERE $2::timestamptz IS NULL OR now < $2
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, given.*
    FROM foreseen
    CROSS JOIN unnest($11::bigint[], $12::text[], $13::text[], $14::bigint[])
         WITH ORDINALITY AS given (show_id, user_name, seat_numbers, hold_for, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at)
    SELECT id, show_id, user_name, seat_numbers::integer[], 'PENDING', now + hold_for * interval '1 microsecond', now, now
    FROM foreseen CROSS JOIN new
), confirmed AS (
    UPDATE bookings b
    SET status = 'CONFIRMED', confirmed_at = now, updated_at = now
    FROM foreseen
    WHERE b.id = ANY (ARRAY(SELECT id FROM booking))
), saved AS MATERIALIZED (
    SELECT now, (SELECT array_agg(id ORDER BY n) FROM new) AS new_ids FROM foreseen
), taken AS (
    UPDATE seats s
    SET status = seat.status, booking_id = COALESCE(seat.old_booking, saved.new_ids[seat.new_booking]),
        held_until = saved.now + seat.hold_for * interval '1 microsecond'
    FROM saved CROSS JOIN seat
    WHERE s.show_id = seat.show_id AND s.seat_number = seat.seat_number
)
SELECT now, new_ids FROM saved
