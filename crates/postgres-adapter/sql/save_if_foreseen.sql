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
--
-- Arrays are read by subscript, where a value is needed. To unnest them side by side makes a table of each, with 16 kB of memory:
-- forty of them are more than malloc keeps from one statement to the next, and a hold was two or three page faults dearer for it.
WITH seat AS MATERIALIZED (
    SELECT locked.booking_id IS NOT DISTINCT FROM expected.booking_id
           AND locked.held_until IS NOT DISTINCT FROM expected.held_until AS as_expected,
           expected.i, expected.show_id, expected.seat_number
    FROM (
        SELECT i, ($4::bigint[])[i] AS show_id, ($5::bigint[])[i] AS seat_number, ($6::bigint[])[i] AS booking_id,
               ($7::timestamptz[])[i] AS held_until
        FROM generate_series(1, cardinality($4::bigint[])) AS i
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
           locked.last_change, expected.i, expected.id
    FROM (
        SELECT i, ($19::bigint[])[i] AS id, ($20::text[])[i] AS seat_numbers, ($21::timestamptz[])[i] AS expires_at
        FROM generate_series(1, cardinality($19::bigint[])) AS i
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
        SELECT ($35::bigint[])[i] AS id, ($42::integer[])[i] AS revision
        FROM generate_series(1, cardinality($35::bigint[])) AS i
        WHERE (SELECT n FROM seats_found) = cardinality($4) AND (SELECT n FROM bookings_found) = cardinality($19)
        ORDER BY id
    ) AS changed
    CROSS JOIN LATERAL (
        SELECT s.id FROM shows s WHERE s.id = changed.id AND s.revision = changed.revision FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked
), shows_found AS MATERIALIZED (
    SELECT count(*) AS n, COALESCE($1::timestamptz, clock_timestamp()) AS now, array_agg(last_number ORDER BY id) AS last_numbers
    FROM (
        SELECT id,
               COALESCE((
                   SELECT h.number FROM booking_history h WHERE h.show_id = show.id ORDER BY h.number DESC LIMIT 1
               ), 0) AS last_number
        FROM show
    ) AS locked
), foreseen AS MATERIALIZED (
    SELECT now, last_numbers
    FROM shows_found
    WHERE n = cardinality($35) AND now >= $2::timestamptz AND ($3::timestamptz IS NULL OR now < $3)
      AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = ANY ($36::text[]))
      AND NOT EXISTS (SELECT FROM payments WHERE reference = ANY ($44::text[]))
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, i, foreseen.now, ($35::bigint[])[($17::bigint[])[i]] AS show_id,
           ($14::text[])[i]::integer[] AS seat_numbers, last_numbers[($17::bigint[])[i]] + ($18::bigint[])[i] AS number
    FROM foreseen
    CROSS JOIN generate_series(1, cardinality($13::text[])) AS i
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change, customer)
    SELECT id, show_id, ($13::text[])[i], seat_numbers, 'PENDING', now + ($15::bigint[])[i] * interval '1 microsecond', now, now, number,
           ($43::text[])[i]
    FROM new
), changed AS (
    UPDATE bookings b
    SET status = ($22::text[])[i], failure_reason = ($23::text[])[i], seat_numbers = ($24::text[])[i]::integer[],
        confirmed_at = CASE WHEN ($22::text[])[i] = 'CONFIRMED' THEN now END,
        expires_at = COALESCE(now + ($25::bigint[])[i] * interval '1 microsecond', b.expires_at), updated_at = now,
        last_change = last_numbers[($26::bigint[])[i]] + ($27::bigint[])[i], payment_reference = ($44::text[])[i]
    FROM foreseen CROSS JOIN booking
    WHERE b.id = booking.id
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT ($44::text[])[i] AS reference, id, ($35::bigint[])[($26::bigint[])[i]], now, false
    FROM foreseen CROSS JOIN booking
    WHERE ($44::text[])[i] IS NOT NULL
    ORDER BY reference
), saved AS MATERIALIZED (
    SELECT now, (SELECT array_agg(id ORDER BY i) FROM new) AS new_ids FROM foreseen
), taken AS (
    UPDATE seats s
    SET status = ($8::text[])[i], booking_id = COALESCE(($9::bigint[])[i], saved.new_ids[($10::bigint[])[i]]),
        held_until = COALESCE(saved.now + ($11::bigint[])[i] * interval '1 microsecond', ($12::timestamptz[])[i])
    FROM saved CROSS JOIN seat
    WHERE s.show_id = seat.show_id AND s.seat_number = seat.seat_number
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
    SELECT show_id, number, id, now, 'held', ($16::text[])[i], seat_numbers
    FROM new
), recorded AS (
    INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT ($35::bigint[])[($32::bigint[])[i]], last_numbers[($32::bigint[])[i]] + ($33::bigint[])[i],
           COALESCE(last_numbers[($32::bigint[])[i]] + ($34::bigint[])[i], bookings_found.last_changes[($28::bigint[])[i]]),
           ($19::bigint[])[($28::bigint[])[i]], now, ($29::text[])[i], 'PENDING', ($30::text[])[i], ($31::text[])[i]::integer[]
    FROM foreseen
    CROSS JOIN bookings_found
    CROSS JOIN generate_series(1, cardinality($28::bigint[])) AS i
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT ($36::text[])[i] AS key, ($37::bytea[])[i], saved.now + ($38::bigint[])[i] * interval '1 microsecond',
           concat_ws(' ', ($39::text[])[i], saved.new_ids[($40::bigint[])[i]],
                     (extract(epoch FROM saved.now) * 1000000)::bigint + ($41::bigint[])[i])
    FROM saved
    CROSS JOIN generate_series(1, cardinality($36::text[])) AS i
    ORDER BY key
)
SELECT now, new_ids FROM saved
