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
-- $13 text[], $14 text[]        user name, seat numbers as an array literal
-- $15 bigint[], $16 text[]      how long they are held in microseconds, who made it
-- $17 bigint[], $18 bigint[]    its show as an index into the shows, how many numbers of that show later it is in the history
-- stored bookings, each but once, ascending, all of them expected to be PENDING:
-- $19 bigint[], $20 text[]      id, expected seat numbers as an array literal
-- $21 timestamptz[]             expected deadline
-- $22 text[], $23 text[]        new status, failure reason or null
-- $24 text[], $25 bigint[]      new seat numbers as an array literal, new deadline in microseconds from now; null for as before
-- $26 bigint[], $27 bigint[]    its last step: show as an index, how many numbers later
-- history of stored bookings:
-- $28 bigint[]                  booking as an index into the stored bookings
-- $29 text[], $30 text[]        event, who
-- $31 text[]                    seat numbers as an array literal
-- $32 bigint[], $33 bigint[]    show as an index, how many numbers later
-- $34 bigint[]                  how many numbers later the booking's step before this one is, if that is new as well; else null
-- $35 bigint[]                  the shows of all that happens, each but once, ascending
-- keys, all of them expected not to have been used:
-- $36 text[], $37 bytea[]       key, fingerprint
-- $38 bigint[]                  how long they are kept, in microseconds
-- $39 text[], $40 bigint[]      what came of it; for a new booking only its beginning, and the booking as an index
-- $41 bigint[]                  deadline that ends what came of it, in microseconds from now, or null
-- of those above:
-- $42 integer[]                 the shows' expected revisions
-- $43 text[]                    new bookings: customer, or null
-- $44 text[]                    stored bookings: payment that is expected not to have been named, or null
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
           locked.last_change, expected.id, expected.new_status, expected.failure_reason,
           expected.new_seat_numbers::integer[] AS new_seat_numbers, expected.hold_for, expected.show, expected.later,
           expected.payment_reference
    FROM (
        SELECT *
        FROM unnest($19::bigint[], $20::text[], $21::timestamptz[], $22::text[], $23::text[], $24::text[], $25::bigint[],
                    $26::bigint[], $27::bigint[], $44::text[])
             AS given (id, seat_numbers, expires_at, new_status, failure_reason, new_seat_numbers, hold_for, show, later,
                       payment_reference)
        WHERE (SELECT n FROM seats_found) = cardinality($4)
        ORDER BY id
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT b.status, b.expires_at, b.seat_numbers, b.last_change
        FROM bookings b
        WHERE b.id = expected.id
        FOR NO KEY UPDATE
    ) AS locked
), bookings_found AS MATERIALIZED (
    SELECT count(*) AS n, array_agg(last_change ORDER BY id) AS last_changes FROM booking WHERE as_expected
), show AS MATERIALIZED (
    SELECT locked.id
    FROM (
        SELECT id, revision
        FROM unnest($35::bigint[], $42::integer[]) AS given (id, revision)
        WHERE (SELECT n FROM seats_found) = cardinality($4) AND (SELECT n FROM bookings_found) = cardinality($19)
        ORDER BY id
    ) AS changed
    CROSS JOIN LATERAL (
        SELECT s.id FROM shows s WHERE s.id = changed.id AND s.revision = changed.revision FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked
), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS read
    FROM (SELECT count(*) AS n FROM show) AS shows_found
    WHERE shows_found.n = cardinality($35) AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = ANY ($36::text[]))
      AND NOT EXISTS (SELECT FROM payments WHERE reference = ANY ($44::text[]))
), foreseen AS MATERIALIZED (
    SELECT now
    FROM (SELECT COALESCE($1::timestamptz, read) AS now FROM clock) AS reading
    WHERE now >= $2::timestamptz AND ($3::timestamptz IS NULL OR now < $3)
), last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = show.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY show.id) AS numbers
    FROM show
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, foreseen.now, given.n, ($35::bigint[])[given.show] AS show_id, given.user_name,
           given.seat_numbers::integer[] AS seat_numbers, given.hold_for, given.actor, last.numbers[given.show] + given.later AS number,
           given.customer
    FROM foreseen
    CROSS JOIN last
    CROSS JOIN unnest($13::text[], $14::text[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], $43::text[])
         WITH ORDINALITY AS given (user_name, seat_numbers, hold_for, actor, show, later, customer, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change, customer)
    SELECT id, show_id, user_name, seat_numbers, 'PENDING', now + hold_for * interval '1 microsecond', now, now, number, customer
    FROM new
), changed AS (
    UPDATE bookings b
    SET status = booking.new_status, failure_reason = booking.failure_reason, seat_numbers = booking.new_seat_numbers,
        confirmed_at = CASE WHEN booking.new_status = 'CONFIRMED' THEN now END,
        expires_at = COALESCE(now + booking.hold_for * interval '1 microsecond', b.expires_at), updated_at = now,
        last_change = last.numbers[booking.show] + booking.later, payment_reference = booking.payment_reference
    FROM foreseen CROSS JOIN last CROSS JOIN booking
    WHERE b.id = booking.id
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT booking.payment_reference, booking.id, ($35::bigint[])[booking.show], now, false
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
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
    SELECT show_id, number, id, now, 'held', actor, seat_numbers
    FROM new
), recorded AS (
    INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT ($35::bigint[])[entry.show], last.numbers[entry.show] + entry.later,
           COALESCE(last.numbers[entry.show] + entry.follows, bookings_found.last_changes[entry.booking]),
           ($19::bigint[])[entry.booking], foreseen.now, entry.event, 'PENDING', entry.actor, entry.seat_numbers::integer[]
    FROM foreseen
    CROSS JOIN last
    CROSS JOIN bookings_found
    CROSS JOIN unnest($28::bigint[], $29::text[], $30::text[], $31::text[], $32::bigint[], $33::bigint[], $34::bigint[])
         AS entry (booking, event, actor, seat_numbers, show, later, follows)
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT used.key, used.fingerprint, saved.now + used.keep_for * interval '1 microsecond',
           concat_ws(' ', used.outcome, saved.new_ids[used.new_booking],
                     (extract(epoch FROM saved.now) * 1000000)::bigint + used.deadline)
    FROM saved
    CROSS JOIN unnest($36::text[], $37::bytea[], $38::bigint[], $39::text[], $40::bigint[], $41::bigint[])
         AS used (key, fingerprint, keep_for, outcome, new_booking, deadline)
    ORDER BY used.key
)
SELECT now, new_ids FROM saved
