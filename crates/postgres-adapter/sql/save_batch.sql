-- Makes the new bookings of a batch, brings stored ones and seats to what they have become, and takes down what happened and what is
-- to be known again; returns the new ids in order, and the last number that the history of each show had before.
--
-- $1 timestamptz                the instant of the change
-- new bookings:
-- $2 text[], $3 text[]          user name, seat numbers as an array literal
-- $4 timestamptz[], $5 text[]   deadline, who made it
-- $6 bigint[], $7 bigint[]      its show as an index (from 1) into the shows, how many numbers of that show later it is in the history
-- seats:
-- $8 bigint[], $9 bigint[]      show, number
-- $10 text[]                    new status
-- $11 bigint[], $12 bigint[]    booking that has it, by id or as an index into the new bookings; null for none
-- $13 timestamptz[]             deadline of the hold, or null
-- stored bookings, each but once, ascending:
-- $14 bigint[], $15 text[]      id, new status
-- $16 text[], $17 boolean[]     failure reason or null, whether a refund is due
-- $18 timestamptz[]             when confirmed, or null
-- $19 text[], $20 timestamptz[] seat numbers as an array literal, deadline
-- $21 bigint[], $22 bigint[]    its last step: show as an index, how many numbers later
-- history of stored bookings:
-- $23 bigint[]                  booking as an index into the stored bookings
-- $24 text[], $25 text[]        event, status before
-- $26 text[], $27 text[]        who, seat numbers as an array literal
-- $28 bigint[], $29 bigint[]    show as an index, how many numbers later
-- $30 bigint[]                  how many numbers later the booking's step before this one is, if that is new as well; else null
-- $31 bigint[]                  the shows of all that happened, each but once, ascending
-- keys:
-- $32 text[], $33 bytea[]       key, fingerprint
-- $34 timestamptz[]             when they are forgotten
-- $35 text[], $36 bigint[]      what came of it; for a new booking only its beginning, and the booking as an index
-- $37 bigint[]                  deadline that ends what came of it, in microseconds since the epoch, or null
-- of those above:
-- $38 text[], $39 text[]        new bookings: customer, or null; why the house keeps the seats, or null
-- $40 text[], $41 boolean[]     stored bookings: payment, or null; whether it was reclaimed
-- payments that were not named before:
-- $42 text[], $43 bigint[]      reference, booking
-- $44 bigint[], $45 boolean[]   show, whether it bought nothing
--
-- The seats, the stored bookings and the shows of all that happened are locked by the caller in statements before this one; no other
-- lock is taken. An id is used up by a booking that is made, not by a refused one.
-- Arrays are read by subscript, see save_if_foreseen.
WITH last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY changed.id) AS numbers
    FROM unnest($31::bigint[]) AS changed (id)
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, i, ($31::bigint[])[($6::bigint[])[i]] AS show_id, ($3::text[])[i]::integer[] AS seat_numbers,
           numbers[($6::bigint[])[i]] + ($7::bigint[])[i] AS number, ($39::text[])[i] AS blocked_for
    FROM last
    CROSS JOIN generate_series(1, cardinality($2::text[])) AS i
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change, customer,
                          blocked_for, confirmed_at)
    SELECT id, show_id, ($2::text[])[i], seat_numbers, CASE WHEN blocked_for IS NULL THEN 'PENDING' ELSE 'CONFIRMED' END,
           ($4::timestamptz[])[i], $1::timestamptz, $1::timestamptz, number, ($38::text[])[i], blocked_for,
           CASE WHEN blocked_for IS NOT NULL THEN $1::timestamptz END
    FROM new
), ids AS MATERIALIZED (
    SELECT array_agg(id ORDER BY i) AS ids FROM new
), taken AS (
    UPDATE seats s
    SET status = ($10::text[])[i], booking_id = COALESCE(($11::bigint[])[i], (SELECT ids FROM ids)[($12::bigint[])[i]]),
        held_until = ($13::timestamptz[])[i], padding = NULL
    FROM generate_series(1, cardinality($8::bigint[])) AS i
    WHERE s.show_id = ($8::bigint[])[i] AND s.seat_number = ($9::bigint[])[i]
), stood AS MATERIALIZED (
    SELECT array_agg(b.last_change ORDER BY b.id) AS last_changes
    FROM unnest($14::bigint[]) AS change (id)
    JOIN bookings b ON b.id = change.id
), changed AS (
    UPDATE bookings b
    SET status = ($15::text[])[i], failure_reason = ($16::text[])[i], refund_due = ($17::boolean[])[i],
        confirmed_at = ($18::timestamptz[])[i], seat_numbers = ($19::text[])[i]::integer[], expires_at = ($20::timestamptz[])[i],
        updated_at = $1, last_change = numbers[($21::bigint[])[i]] + ($22::bigint[])[i], payment_reference = ($40::text[])[i],
        reclaimed = ($41::boolean[])[i]
    FROM last
    CROSS JOIN generate_series(1, cardinality($14::bigint[])) AS i
    WHERE b.id = ($14::bigint[])[i]
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
    SELECT show_id, number, id, $1, CASE WHEN blocked_for IS NULL THEN 'held' ELSE 'blocked' END, ($5::text[])[i], seat_numbers
    FROM new
), recorded AS (
    INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT ($31::bigint[])[($28::bigint[])[i]], numbers[($28::bigint[])[i]] + ($29::bigint[])[i],
           COALESCE(numbers[($28::bigint[])[i]] + ($30::bigint[])[i], last_changes[($23::bigint[])[i]]),
           ($14::bigint[])[($23::bigint[])[i]], $1, ($24::text[])[i], ($25::text[])[i], ($26::text[])[i], ($27::text[])[i]::integer[]
    FROM last
    CROSS JOIN stood
    CROSS JOIN generate_series(1, cardinality($23::bigint[])) AS i
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT ($42::text[])[i] AS reference, ($43::bigint[])[i], ($44::bigint[])[i], $1::timestamptz, ($45::boolean[])[i]
    FROM generate_series(1, cardinality($42::text[])) AS i
    ORDER BY reference
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT ($32::text[])[i] AS key, ($33::bytea[])[i], ($34::timestamptz[])[i],
           concat_ws(' ', ($35::text[])[i], (SELECT ids FROM ids)[($36::bigint[])[i]], ($37::bigint[])[i])
    FROM generate_series(1, cardinality($32::text[])) AS i
    ORDER BY key
)
SELECT numbers AS last_numbers, ids AS new_ids FROM last CROSS JOIN ids
