-- Makes the new bookings of a batch, brings its seats to their new states, and takes down what happened and what is to be known
-- again; returns the new ids in order.
--
-- $1 timestamptz              the instant of the change
-- $2 bigint[], $3 text[]      new bookings: show, user name
-- $4 text[], $5 timestamptz[] new bookings: seat numbers as an array literal, deadline
-- $6 text[]                   new bookings: who made them
-- $7 bigint[], $8 bigint[]    new bookings: show as an index into the shows, how many numbers of that show later in the history
-- $9 bigint[], $10 bigint[]    seats: show, number
-- $11 text[]                   seats: new status
-- $12 bigint[], $13 bigint[]  seats: booking that has it, by id or as an index (from 1) into the new bookings; null for none
-- $14 timestamptz[]           seats: deadline of the hold, or null
-- $15 bigint[], $16 bigint[]  history of stored bookings: show, booking
-- $17 text[], $18 text[]      history of stored bookings: event, status before
-- $19 text[], $20 text[]      history of stored bookings: who, seat numbers as an array literal
-- $21 bigint[], $22 bigint[] history of stored bookings: show as an index into the shows, how many numbers of that show later
-- $23 bigint[]                the shows of all that happened, each but once, ascending
-- $24 text[], $25 bytea[]     keys: key, fingerprint
-- $26 timestamptz[]           keys: when they are forgotten
-- $27 text[], $28 bigint[]    keys: what came of it; for a new booking only its beginning, and the booking as an index
-- $29 bigint[]                keys: deadline that ends what came of it, in microseconds since the epoch, or null
-- $30 text[], $31 text[]      new bookings: customer, or null; why the house keeps the seats, or null
-- $32 text[], $33 bigint[]    payments: reference, booking
-- $34 bigint[], $35 boolean[] payments: show, whether it bought nothing
--
-- The seats, and the shows of all that happened, are locked by the caller in statements before this one; no other lock is taken. An
-- id is used up by a booking that is made, not by a refused one.
WITH new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, n, show_id, user_name, seat_numbers::integer[] AS seat_numbers, expires_at, actor,
           show, later, customer, blocked_for
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[], $8::bigint[], $30::text[],
                $31::text[])
         WITH ORDINALITY AS given (show_id, user_name, seat_numbers, expires_at, actor, show, later, customer, blocked_for, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, customer, blocked_for,
                          confirmed_at)
    SELECT id, show_id, user_name, seat_numbers, CASE WHEN blocked_for IS NULL THEN 'PENDING' ELSE 'CONFIRMED' END, expires_at, $1, $1,
           customer, blocked_for, CASE WHEN blocked_for IS NOT NULL THEN $1::timestamptz END
    FROM new
), ids AS MATERIALIZED (
    SELECT array_agg(id ORDER BY n) AS ids FROM new
), taken AS (
    UPDATE seats s
    SET status = change.status,
        booking_id = COALESCE(change.booking_id, (SELECT ids FROM ids)[change.new_booking]),
        held_until = change.held_until
    FROM unnest($9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[], $14::timestamptz[])
         AS change (show_id, seat_number, status, booking_id, new_booking, held_until)
    WHERE s.show_id = change.show_id AND s.seat_number = change.seat_number
), last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY changed.id) AS numbers
    FROM unnest($23::bigint[]) AS changed (id)
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT new.show_id, last.numbers[new.show] + new.later, new.id, $1,
           CASE WHEN new.blocked_for IS NULL THEN 'held' ELSE 'blocked' END, NULL, new.actor, new.seat_numbers
    FROM last CROSS JOIN new
), recorded AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT entry.show_id, last.numbers[entry.show] + entry.later, entry.booking_id, $1, entry.event, entry.from_status, entry.actor,
           entry.seat_numbers::integer[]
    FROM last
    CROSS JOIN unnest($15::bigint[], $16::bigint[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[], $22::bigint[])
         AS entry (show_id, booking_id, event, from_status, actor, seat_numbers, show, later)
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT reference, booking_id, show_id, $1::timestamptz, in_vain
    FROM unnest($32::text[], $33::bigint[], $34::bigint[], $35::boolean[]) AS payment (reference, booking_id, show_id, in_vain)
    ORDER BY reference
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT key, fingerprint, expires_at, concat_ws(' ', outcome, (SELECT ids FROM ids)[new_booking], deadline)
    FROM unnest($24::text[], $25::bytea[], $26::timestamptz[], $27::text[], $28::bigint[], $29::bigint[])
         AS used (key, fingerprint, expires_at, outcome, new_booking, deadline)
    ORDER BY used.key
)
SELECT id FROM new ORDER BY n
