-- Saves a batch if all of its rows are as expected, and else changes nothing: a transaction of its own. Returns the time and the ids
-- of the new bookings in order; no row if nothing was saved.
--
-- What stands between "-- [" with a name and its "-- ]" is left out where a batch has nothing of the name, with the parameters of which
-- then nobody speaks: every part of a statement costs each batch, whatever is in it. The names are new, for new bookings; bookings, for
-- stored ones; payments; keys.
--
-- An array of nothing but nulls may be empty instead.
--
-- $1 timestamptz                the time, or null for the database's clock
-- $2 timestamptz                the instant from which on this is good
-- $3 timestamptz                the instant from which on it is too late, or null
-- seats, each but once:
-- $4 bigint[], $5 bigint[]      show, number
-- $6 bigint[], $7 timestamptz[] expected: booking that has it or 0, deadline of the hold or the epoch
-- $8 text[]                     new status
-- $9 bigint[]                   new booking that has it: its id, or minus its index (from 1) among the new bookings; 0 for none
-- $10 bigint[]                  how long it is held, in microseconds from now; or 0
-- $11 timestamptz[]             until when it is held; or the epoch
-- new bookings:
-- $12 text[], $13 text[]        user name, seat numbers as an array literal
-- $14 bigint[], $15 text[]      how long it is held in microseconds; who made it, null for a customer
-- $16 bigint[], $17 bigint[]    its show as an index into the shows, how many numbers of that show later it is in the history
-- $18 text[]                    customer, or null
-- shows:
-- $19 bigint[], $20 integer[]   those of all that happens, each but once, ascending; their expected revisions
-- keys, all of them expected not to have been used:
-- $21 text[], $22 bytea[]       key, fingerprint
-- $23 bigint[]                  how long they are kept, in microseconds
-- $24 text[], $25 bigint[]      what came of it; for a new booking only its beginning, and the booking as an index
-- $26 bigint[]                  deadline that ends what came of it, in microseconds from now, or null
-- stored bookings, each but once, ascending, all of them expected to be PENDING:
-- $27 bigint[], $28 text[]      id, expected seat numbers as an array literal
-- $29 timestamptz[]             expected deadline
-- $30 text[], $31 text[]        new status, failure reason or null
-- $32 text[], $33 bigint[]      new seat numbers as an array literal, new deadline in microseconds from now; null for as before
-- $34 bigint[], $35 bigint[]    its last step: show as an index, how many numbers later
-- $36 text[]                    payment that is expected not to have been named, or null
-- history of stored bookings:
-- $37 bigint[]                  booking as an index into the stored bookings
-- $38 text[], $39 text[]        event; who, null for a customer
-- $40 text[]                    seat numbers as an array literal
-- $41 bigint[], $42 bigint[]    show as an index, how many numbers later
-- $43 bigint[]                  how many numbers later the booking's step before this one is, if that is new as well; else null
-- shows, again:
-- $44 bigint[]                  a number that each had come to when it was last heard of, or 0
--
-- Locks: the seats, in key order; then the bookings, in the order of their ids; then the shows, in the order of theirs, unless
-- somebody has one: then this gives way. Each is locked in a query of its own, see lock_seats. Only locked rows are compared, and the
-- clock is read when all of them are locked. What is locked is written by its address, which is quicker than to go by the key again. A
-- version that came while this waited has an address too, but this statement does not see it there, and does not write it: then fewer
-- rows are written than were locked, and that is an error (a division by zero), so that nothing has happened. The history is read as it
-- was when this began: a number or a key that was used meanwhile is an error, by the primary key, and nothing has happened either.
--
-- An index is read by the page: from the last number of a show back to the one last heard of is a step or two, where any number
-- would be good it is hundreds. Should the history have been set back behind that, as from a backup, the
-- number that comes next is one that is used already, which is an error, as above.
--
-- Arrays are read by subscript, where a value is needed, which is quick in arrays of fixed-size elements without nulls: else each reading
-- walks from the beginning. To unnest them side by side makes a table of each, with 16 kB of memory:
-- forty of them are more than malloc keeps from one statement to the next, and a hold was two or three page faults dearer for it.
WITH seat AS MATERIALIZED (
    SELECT COALESCE(locked.booking_id, 0) = expected.booking_id AND COALESCE(locked.held_until, 'epoch') = expected.held_until AS as_expected,
           expected.i, locked.address
    FROM (
        SELECT i, ($4::bigint[])[i] AS show_id, ($5::bigint[])[i] AS seat_number, ($6::bigint[])[i] AS booking_id,
               ($7::timestamptz[])[i] AS held_until
        FROM generate_series(1, cardinality($4::bigint[])) AS i
        ORDER BY show_id, seat_number
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT s.booking_id, s.held_until, s.ctid AS address
        FROM seats s
        WHERE s.show_id = expected.show_id AND s.seat_number = expected.seat_number
        FOR NO KEY UPDATE
    ) AS locked
), seats_found AS MATERIALIZED (
    SELECT count(*) AS n FROM seat WHERE as_expected
-- [bookings
), booking AS MATERIALIZED (
    SELECT locked.status = 'PENDING' AND locked.expires_at = expected.expires_at
           AND locked.seat_numbers = expected.seat_numbers::integer[] AS as_expected,
           locked.last_change, expected.i, expected.id, locked.address
    FROM (
        SELECT i, ($27::bigint[])[i] AS id, ($28::text[])[i] AS seat_numbers, ($29::timestamptz[])[i] AS expires_at
        FROM generate_series(1, cardinality($27::bigint[])) AS i
        WHERE (SELECT n FROM seats_found) = cardinality($4)
        ORDER BY id
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT b.status, b.expires_at, b.seat_numbers, b.last_change, b.ctid AS address
        FROM bookings b
        WHERE b.id = expected.id
        FOR NO KEY UPDATE
    ) AS locked
), bookings_found AS MATERIALIZED (
    SELECT count(*) AS n, array_agg(last_change ORDER BY id) AS last_changes FROM booking WHERE as_expected
-- ]
), show AS MATERIALIZED (
    SELECT locked.id, changed.heard
    FROM (
        SELECT ($19::bigint[])[i] AS id, ($20::integer[])[i] AS revision, ($44::bigint[])[i] AS heard
        FROM generate_series(1, cardinality($19::bigint[])) AS i
        WHERE (SELECT n FROM seats_found) = cardinality($4)
          -- [bookings
          AND (SELECT n FROM bookings_found) = cardinality($27)
          -- ]
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
                   SELECT h.number FROM booking_history h WHERE h.show_id = show.id AND h.number >= show.heard ORDER BY h.number DESC LIMIT 1
               ), 0) AS last_number
        FROM show
    ) AS locked
), foreseen AS MATERIALIZED (
    SELECT now, last_numbers
    FROM shows_found
    WHERE n = cardinality($19) AND now >= $2::timestamptz AND ($3::timestamptz IS NULL OR now < $3)
      -- [keys
      AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = ANY ($21::text[]))
      -- ]
      -- [payments
      AND NOT EXISTS (SELECT FROM payments WHERE reference = ANY ($36::text[]))
      -- ]
-- [new
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, i, foreseen.now, ($19::bigint[])[($16::bigint[])[i]] AS show_id,
           ($13::text[])[i]::integer[] AS seat_numbers, last_numbers[($16::bigint[])[i]] + ($17::bigint[])[i] AS number
    FROM foreseen
    CROSS JOIN generate_series(1, cardinality($12::text[])) AS i
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change, customer)
    SELECT id, show_id, ($12::text[])[i], seat_numbers, 'PENDING', now + ($14::bigint[])[i] * interval '1 microsecond', now, now, number,
           ($18::text[])[i]
    FROM new
-- ]
-- [bookings
), changed AS (
    UPDATE bookings b
    SET status = ($30::text[])[i], failure_reason = ($31::text[])[i], seat_numbers = COALESCE(($32::text[])[i]::integer[], b.seat_numbers),
        confirmed_at = CASE WHEN ($30::text[])[i] = 'CONFIRMED' THEN now END,
        expires_at = COALESCE(now + ($33::bigint[])[i] * interval '1 microsecond', b.expires_at), updated_at = now,
        last_change = last_numbers[($34::bigint[])[i]] + ($35::bigint[])[i]
        -- [payments
        , payment_reference = ($36::text[])[i]
        -- ]
    FROM foreseen CROSS JOIN booking
    WHERE b.ctid = booking.address
    RETURNING b.id
-- ]
-- [payments
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT ($36::text[])[i] AS reference, id, ($19::bigint[])[($34::bigint[])[i]], now, false
    FROM foreseen CROSS JOIN booking
    WHERE ($36::text[])[i] IS NOT NULL
    ORDER BY reference
-- ]
), saved AS MATERIALIZED (
    SELECT now, last_numbers
           -- [new
           , (SELECT array_agg(id ORDER BY i) FROM new) AS new_ids
           -- ]
    FROM foreseen
), taken AS (
    UPDATE seats s
    SET status = ($8::text[])[i],
        booking_id = COALESCE(
            -- [new
            new_ids[-($9::bigint[])[i]],
            -- ]
            NULLIF(($9::bigint[])[i], 0)
        ),
        held_until = COALESCE(now + NULLIF(($10::bigint[])[i], 0) * interval '1 microsecond', NULLIF(($11::timestamptz[])[i], 'epoch')),
        padding = NULL
    FROM saved CROSS JOIN seat
    WHERE s.ctid = seat.address
    RETURNING s.seat_number
), recorded AS (
    INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
    -- [new
    SELECT show_id, number, NULL, id, now, 'held', NULL, COALESCE(($15::text[])[i], 'customer'), seat_numbers
    FROM new
    -- [bookings
    UNION ALL
    -- ]
    -- ]
    -- [bookings
    SELECT ($19::bigint[])[($41::bigint[])[i]], last_numbers[($41::bigint[])[i]] + ($42::bigint[])[i],
           COALESCE(last_numbers[($41::bigint[])[i]] + ($43::bigint[])[i], bookings_found.last_changes[($37::bigint[])[i]]),
           ($27::bigint[])[($37::bigint[])[i]], now, ($38::text[])[i], 'PENDING', COALESCE(($39::text[])[i], 'customer'), ($40::text[])[i]::integer[]
    FROM foreseen
    CROSS JOIN bookings_found
    CROSS JOIN generate_series(1, cardinality($37::bigint[])) AS i
    -- ]
-- [keys
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT ($21::text[])[i] AS key, ($22::bytea[])[i], saved.now + ($23::bigint[])[i] * interval '1 microsecond',
           concat_ws(
               ' ', ($24::text[])[i],
               -- [new
               saved.new_ids[($25::bigint[])[i]],
               -- ]
               (extract(epoch FROM saved.now) * 1000000)::bigint + ($26::bigint[])[i]
           )
    FROM saved
    CROSS JOIN generate_series(1, cardinality($21::text[])) AS i
    ORDER BY key
-- ]
)
SELECT now, last_numbers,
       -- [new
       new_ids,
       -- ]
       1 / (
           (SELECT count(*) FROM taken) = cardinality($4)
           -- [bookings
           AND (SELECT count(*) FROM changed) = cardinality($27)
           -- ]
       )::integer AS written
FROM saved
