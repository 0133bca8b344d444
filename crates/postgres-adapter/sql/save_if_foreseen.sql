-- Saves a batch if all of its rows are as expected, and else changes nothing: a transaction of its own. Returns the time and the ids
-- of the new bookings in order; no row if nothing was saved.
--
-- $1 timestamptz                the time, or null for the database's clock
-- $2 timestamptz                the instant from which on this is good
-- $3 timestamptz                the instant from which on it is too late, or null
-- seats, each but once:
-- $4 bigint[], $5 bigint[]      show, number
-- $6 bigint[], $7 timestamptz[] expected: booking that has it, deadline of the hold; null for none
-- $8 text[]                     new status
-- $9 bigint[], $10 bigint[]     new booking that has it, by id or as an index (from 1) into the new bookings
-- $11 bigint[]                  how long it is held, in microseconds from now; or null
-- $12 timestamptz[]             until when it is held; or null
-- new bookings:
-- $13 bigint[], $14 text[]      show, user name
-- $15 text[], $16 bigint[]      seat numbers as an array literal, how long they are held in microseconds
-- $17 text[]                    who made it
-- $18 bigint[], $19 bigint[]    its show as an index into the shows, how many numbers of that show later it is in the history
-- stored bookings, each but once, all of them expected to be PENDING:
-- $20 bigint[], $21 text[]      id, expected seat numbers as an array literal
-- $22 timestamptz[]             expected deadline
-- $23 text[], $24 text[]        new status, failure reason or null
-- $25 text[], $26 bigint[]      new seat numbers as an array literal, new deadline in microseconds from now; null for as before
-- history of stored bookings:
-- $27 bigint[], $28 bigint[]    show, booking
-- $29 text[], $30 text[]        event, who
-- $31 text[]                    seat numbers as an array literal
-- $32 bigint[], $33 bigint[]    the show as an index into the shows, how many numbers of that show later
-- $34 bigint[]                  the shows of all that happens, each but once, ascending
-- keys, all of them expected not to have been used:
-- $35 text[], $36 bytea[]       key, fingerprint
-- $37 bigint[]                  how long they are kept, in microseconds
-- $38 text[], $39 bigint[]      what came of it; for a new booking only its beginning, and the booking as an index
-- $40 bigint[]                  deadline that ends what came of it, in microseconds from now, or null
-- of those above:
-- $41 integer[]                 the shows' expected revisions
-- $42 text[]                    new bookings: customer, or null
-- $43 text[]                    stored bookings: payment that is expected not to have been named, or null
--
-- Locks: the seats, in key order; then the bookings, in the order of their ids; then the shows, in the order of theirs, unless
-- somebody has one: then this gives way. Each is locked in a query of its own, see lock_seats. Only locked rows are compared, and the
-- clock is read when all of them are locked. The history is read as it was when this began: a number or a key that was used
-- meanwhile is an error, by the primary key, and nothing has happened.
WITH seat AS MATERIALIZED (
    SELECT locked.booking_id IS NOT DISTINCT FROM expected.booking_id
           AND locked.held_until IS NOT DISTINCT FROM expected.held_until AS as_expected,
           expected.show_id, expected.seat_number, expected.status, expected.old_booking, expected.new_booking, expected.hold_for,
           expected.new_held_until
    FROM (
        SELECT *
        FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
                    $12::timestamptz[])
             AS given (show_id, seat_number, booking_id, held_until, status, old_booking, new_booking, hold_for, new_held_until)
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
           expected.id, expected.new_status, expected.failure_reason, expected.new_seat_numbers::integer[] AS new_seat_numbers,
           expected.hold_for, expected.payment_reference, locked.show_id
    FROM (
        SELECT *
        FROM unnest($20::bigint[], $21::text[], $22::timestamptz[], $23::text[], $24::text[], $25::text[], $26::bigint[], $43::text[])
             AS given (id, seat_numbers, expires_at, new_status, failure_reason, new_seat_numbers, hold_for, payment_reference)
        WHERE (SELECT n FROM seats_found) = cardinality($4)
        ORDER BY id
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT b.show_id, b.status, b.expires_at, b.seat_numbers
        FROM bookings b
        WHERE b.id = expected.id
        FOR NO KEY UPDATE
    ) AS locked
), bookings_found AS MATERIALIZED (
    SELECT count(*) AS n FROM booking WHERE as_expected
), show AS MATERIALIZED (
    SELECT locked.id
    FROM (
        SELECT id, revision
        FROM unnest($34::bigint[], $41::integer[]) AS given (id, revision)
        WHERE (SELECT n FROM seats_found) = cardinality($4) AND (SELECT n FROM bookings_found) = cardinality($20)
        ORDER BY id
    ) AS changed
    CROSS JOIN LATERAL (
        SELECT s.id FROM shows s WHERE s.id = changed.id AND s.revision = changed.revision FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked
), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS read
    FROM (SELECT count(*) AS n FROM show) AS shows_found
    WHERE shows_found.n = cardinality($34) AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = ANY ($35::text[]))
      AND NOT EXISTS (SELECT FROM payments WHERE reference = ANY ($43::text[]))
), foreseen AS MATERIALIZED (
    SELECT now
    FROM (SELECT COALESCE($1::timestamptz, read) AS now FROM clock) AS reading
    WHERE now >= $2::timestamptz AND ($3::timestamptz IS NULL OR now < $3)
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, foreseen.now, given.n, given.show_id, given.user_name,
           given.seat_numbers::integer[] AS seat_numbers, given.hold_for, given.actor, given.show, given.later,
           given.customer
    FROM foreseen
    CROSS JOIN unnest($13::bigint[], $14::text[], $15::text[], $16::bigint[], $17::text[], $18::bigint[], $19::bigint[],
                      $42::text[])
         WITH ORDINALITY AS given (show_id, user_name, seat_numbers, hold_for, actor, show, later, customer, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, customer)
    SELECT id, show_id, user_name, seat_numbers, 'PENDING', now + hold_for * interval '1 microsecond', now, now, customer
    FROM new
), changed AS (
    UPDATE bookings b
    SET status = booking.new_status, failure_reason = booking.failure_reason, seat_numbers = booking.new_seat_numbers,
        confirmed_at = CASE WHEN booking.new_status = 'CONFIRMED' THEN now END,
        expires_at = COALESCE(now + booking.hold_for * interval '1 microsecond', b.expires_at), updated_at = now,
        payment_reference = booking.payment_reference
    FROM foreseen CROSS JOIN booking
    WHERE b.id = booking.id
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT booking.payment_reference, booking.id, booking.show_id, now, false
    FROM foreseen CROSS JOIN booking
    WHERE booking.payment_reference IS NOT NULL
    ORDER BY booking.payment_reference
), saved AS MATERIALIZED (
    SELECT now, (SELECT array_agg(id ORDER BY n) FROM new) AS new_ids FROM foreseen
), taken AS (
    UPDATE seats s
    SET status = seat.status, booking_id = COALESCE(seat.old_booking, saved.new_ids[seat.new_booking]),
        held_until = COALESCE(saved.now + seat.hold_for * interval '1 microsecond', seat.new_held_until)
    FROM saved CROSS JOIN seat
    WHERE s.show_id = seat.show_id AND s.seat_number = seat.seat_number
), last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = show.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY show.id) AS numbers
    FROM show
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT new.show_id, last.numbers[new.show] + new.later, new.id, new.now, 'held', NULL, new.actor, new.seat_numbers
    FROM last CROSS JOIN new
), recorded AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT entry.show_id, last.numbers[entry.show] + entry.later, entry.booking_id, foreseen.now, entry.event, 'PENDING', entry.actor,
           entry.seat_numbers::integer[]
    FROM foreseen
    CROSS JOIN last
    CROSS JOIN unnest($27::bigint[], $28::bigint[], $29::text[], $30::text[], $31::text[], $32::bigint[], $33::bigint[])
         AS entry (show_id, booking_id, event, actor, seat_numbers, show, later)
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT used.key, used.fingerprint, saved.now + used.keep_for * interval '1 microsecond',
           concat_ws(' ', used.outcome, saved.new_ids[used.new_booking],
                     (extract(epoch FROM saved.now) * 1000000)::bigint + used.deadline)
    FROM saved
    CROSS JOIN unnest($35::text[], $36::bytea[], $37::bigint[], $38::text[], $39::bigint[], $40::bigint[])
         AS used (key, fingerprint, keep_for, outcome, new_booking, deadline)
    ORDER BY used.key
)
SELECT now, new_ids FROM saved
