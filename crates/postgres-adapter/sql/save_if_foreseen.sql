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
-- seats, each but once, in key order:
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
-- shows of all that happens, each but once, ascending:
-- $19 bigint[], $20 integer[]   id, expected revision
-- $21 tid[], $22 bigint[]       where its row lies; the last number of its history, or 0 where that has to be looked for
-- keys, all of them expected not to have been used:
-- $23 text[], $24 bytea[]       key, fingerprint
-- $25 bigint[]                  how long they are kept, in microseconds
-- $26 text[], $27 bigint[]      what came of it; for a new booking only its beginning, and the booking as an index
-- $28 bigint[]                  deadline that ends what came of it, in microseconds from now, or null
-- stored bookings, each but once, ascending:
-- $29 bigint[], $30 bigint[]    id, the number of its last step as it is expected: then all of it is as expected, which is PENDING
-- $31 text[], $32 text[]        new status, failure reason or null
-- $33 text[], $34 bigint[]      new seat numbers as an array literal, new deadline in microseconds from now; null for as before
-- $35 bigint[], $36 bigint[]    its last step: show as an index, how many numbers later
-- $37 text[]                    payment that is expected not to have been named, or null
-- history of stored bookings:
-- $38 bigint[]                  booking as an index into the stored bookings
-- $39 text[], $40 text[]        event; who, null for a customer
-- $41 text[]                    seat numbers as an array literal
-- $42 bigint[], $43 bigint[]    show as an index, how many numbers later
-- $44 bigint[]                  how many numbers later the booking's step before this one is, if that is new as well; else null
--
-- Locks: the seats, in key order; then the bookings, in the order of their ids; then the shows, in the order of theirs, unless
-- somebody has one: then this gives way. Each is locked in a query of its own, one after the other as they are given: a LATERAL query
-- that locks is run for each row before it, in their order. A row that is not as expected, or no longer when it can be locked, is not
-- found. The clock is read when all of them are locked. What is locked is written by its address, which is quicker than to go by the key
-- again. A version that came while this waited has an address too, but this statement does not see it there, and does not write it:
-- then fewer rows are written than were locked, and that is an error (a division by zero), so that nothing has happened. The history is
-- read as it was when this began: a number or a key that was used meanwhile is an error, by the primary key, and nothing has happened
-- either.
--
-- A show is found by its address, and so is not found if it was written anew. What is said of its history's last number is right or
-- behind, and if it is behind, the number that comes next is one that is used already, which is an error, as above.
--
-- Arrays are read by subscript, where a value is needed, which is quick in arrays of fixed-size elements without nulls: else each reading
-- walks from the beginning. To unnest them side by side makes a table of each, with 16 kB of memory:
-- forty of them are more than malloc keeps from one statement to the next, and a hold was two or three page faults dearer for it.
WITH seat AS MATERIALIZED (
    SELECT expected.i, locked.address
    FROM (
        SELECT i, ($4::bigint[])[i] AS show_id, ($5::bigint[])[i] AS seat_number, ($6::bigint[])[i] AS booking_id,
               ($7::timestamptz[])[i] AS held_until
        FROM generate_series(1, cardinality($4::bigint[])) AS i
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT s.ctid AS address
        FROM seats s
        WHERE s.show_id = expected.show_id AND s.seat_number = expected.seat_number
          AND COALESCE(s.booking_id, 0) = expected.booking_id AND COALESCE(s.held_until, 'epoch') = expected.held_until
        FOR NO KEY UPDATE
    ) AS locked
), seats_found AS MATERIALIZED (
    SELECT count(*) AS n FROM seat
-- [bookings
), booking AS MATERIALIZED (
    SELECT expected.i, expected.id, locked.address
    FROM (
        SELECT i, ($29::bigint[])[i] AS id, ($30::bigint[])[i] AS last_change
        FROM generate_series(1, cardinality($29::bigint[])) AS i
        WHERE (SELECT n FROM seats_found) = cardinality($4)
    ) AS expected
    CROSS JOIN LATERAL (
        SELECT b.ctid AS address FROM bookings b WHERE b.id = expected.id AND b.last_change = expected.last_change FOR NO KEY UPDATE
    ) AS locked
), bookings_found AS MATERIALIZED (
    SELECT count(*) AS n FROM booking
-- ]
), shows_found AS MATERIALIZED (
    SELECT count(*) AS n, COALESCE($1::timestamptz, clock_timestamp()) AS now, array_agg(last_number) AS last_numbers
    FROM (
        SELECT COALESCE(
                   NULLIF(expected.last_number, 0),
                   (SELECT h.number FROM booking_history h WHERE h.show_id = expected.id ORDER BY h.number DESC LIMIT 1),
                   0
               ) AS last_number
        FROM (
            SELECT ($19::bigint[])[i] AS id, ($20::integer[])[i] AS revision, ($21::tid[])[i] AS address, ($22::bigint[])[i] AS last_number
            FROM generate_series(1, cardinality($19::bigint[])) AS i
            WHERE (SELECT n FROM seats_found) = cardinality($4)
              -- [bookings
              AND (SELECT n FROM bookings_found) = cardinality($29)
              -- ]
        ) AS expected
        CROSS JOIN LATERAL (
            SELECT FROM shows s
            WHERE s.ctid = expected.address AND s.id = expected.id AND s.revision = expected.revision
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS locked
    ) AS show
), foreseen AS MATERIALIZED (
    SELECT now, last_numbers
    FROM shows_found
    WHERE n = cardinality($19) AND now >= $2::timestamptz AND ($3::timestamptz IS NULL OR now < $3)
      -- [keys
      AND NOT EXISTS (SELECT FROM idempotency_keys WHERE key = ANY ($23::text[]))
      -- ]
      -- [payments
      AND NOT EXISTS (SELECT FROM payments WHERE reference = ANY ($37::text[]))
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
    SET status = ($31::text[])[i], failure_reason = ($32::text[])[i], seat_numbers = COALESCE(($33::text[])[i]::integer[], b.seat_numbers),
        confirmed_at = CASE WHEN ($31::text[])[i] = 'CONFIRMED' THEN now END,
        expires_at = COALESCE(now + ($34::bigint[])[i] * interval '1 microsecond', b.expires_at), updated_at = now,
        last_change = last_numbers[($35::bigint[])[i]] + ($36::bigint[])[i]
        -- [payments
        , payment_reference = ($37::text[])[i]
        -- ]
    FROM foreseen CROSS JOIN booking
    WHERE b.ctid = booking.address
    RETURNING b.id
-- ]
-- [payments
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT ($37::text[])[i] AS reference, id, ($19::bigint[])[($35::bigint[])[i]], now, false
    FROM foreseen CROSS JOIN booking
    WHERE ($37::text[])[i] IS NOT NULL
    ORDER BY reference
-- ]
), saved AS MATERIALIZED (
    SELECT now, last_numbers
           -- [new
           , (SELECT array_agg(id) FROM new) AS new_ids
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
    SELECT ($19::bigint[])[($42::bigint[])[i]], last_numbers[($42::bigint[])[i]] + ($43::bigint[])[i],
           COALESCE(last_numbers[($42::bigint[])[i]] + ($44::bigint[])[i], ($30::bigint[])[($38::bigint[])[i]]),
           ($29::bigint[])[($38::bigint[])[i]], now, ($39::text[])[i], 'PENDING', COALESCE(($40::text[])[i], 'customer'), ($41::text[])[i]::integer[]
    FROM foreseen
    CROSS JOIN generate_series(1, cardinality($38::bigint[])) AS i
    -- ]
-- [keys
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT ($23::text[])[i] AS key, ($24::bytea[])[i], saved.now + ($25::bigint[])[i] * interval '1 microsecond',
           concat_ws(
               ' ', ($26::text[])[i],
               -- [new
               saved.new_ids[($27::bigint[])[i]],
               -- ]
               (extract(epoch FROM saved.now) * 1000000)::bigint + ($28::bigint[])[i]
           )
    FROM saved
    CROSS JOIN generate_series(1, cardinality($23::text[])) AS i
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
           AND (SELECT count(*) FROM changed) = cardinality($29)
           -- ]
       )::integer AS written
FROM saved
