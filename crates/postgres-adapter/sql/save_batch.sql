-- Makes the new bookings of a batch, brings its seats to their new states, and takes down what happened and what is to be known
-- again; returns the new ids in order.
--
-- $1 timestamptz              the instant of the change
-- $2 bigint[], $3 text[]      new bookings: show, user name
-- $4 text[], $5 timestamptz[] new bookings: seat numbers as an array literal, deadline
-- $6 text[]                   new bookings: who made them
-- $7 bigint[], $8 bigint[]    seats: show, number
-- $9 text[]                   seats: new status
-- $10 bigint[], $11 bigint[]  seats: booking that has it, by id or as an index (from 1) into the new bookings; null for none
-- $12 timestamptz[]           seats: deadline of the hold, or null
-- $13 bigint[], $14 bigint[]  history of stored bookings: show, booking
-- $15 text[], $16 text[]      history of stored bookings: event, status before
-- $17 text[], $18 text[]      history of stored bookings: who, seat numbers as an array literal
-- $19 text[], $20 bytea[]     keys: key, fingerprint
-- $21 timestamptz[]           keys: when they are forgotten
-- $22 text[], $23 bigint[]    keys: what came of it; for a new booking only its beginning, and the booking as an index
-- $24 bigint[]                keys: deadline that ends what came of it, in microseconds since the epoch, or null
--
-- The seats, and the shows of all that happened, are locked by the caller in statements before this one; no other lock is taken. An
-- id is used up by a booking that is made, not by a refused one.
WITH new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, n, show_id, user_name, seat_numbers::integer[] AS seat_numbers, expires_at, actor
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
         WITH ORDINALITY AS given (show_id, user_name, seat_numbers, expires_at, actor, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at)
    SELECT id, show_id, user_name, seat_numbers, 'PENDING', expires_at, $1, $1
    FROM new
), ids AS MATERIALIZED (
    SELECT array_agg(id ORDER BY n) AS ids FROM new
), taken AS (
    UPDATE seats s
    SET status = change.status,
        booking_id = COALESCE(change.booking_id, (SELECT ids FROM ids)[change.new_booking]),
        held_until = change.held_until
    FROM unnest($7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::timestamptz[])
         AS change (show_id, seat_number, status, booking_id, new_booking, held_until)
    WHERE s.show_id = change.show_id AND s.seat_number = change.seat_number
), last AS MATERIALIZED (
    SELECT show_id, COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.show_id ORDER BY h.number DESC LIMIT 1
    ), 0) AS number
    FROM (SELECT unnest($2::bigint[]) AS show_id UNION SELECT unnest($13::bigint[])) AS changed
), recorded AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT entry.show_id, last.number + row_number() OVER (PARTITION BY entry.show_id ORDER BY entry.is_new, entry.n),
           entry.booking_id, $1, entry.event, entry.from_status, entry.actor, entry.seat_numbers
    FROM (
        SELECT false AS is_new, n, show_id, booking_id, event, from_status, actor, seat_numbers::integer[] AS seat_numbers
        FROM unnest($13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[])
             WITH ORDINALITY AS stored (show_id, booking_id, event, from_status, actor, seat_numbers, n)
        UNION ALL
        -- What was free may have been given up by a stored booking, never by a new one.
        SELECT true, n, show_id, id, 'held', NULL, actor, seat_numbers
        FROM new
    ) AS entry
    JOIN last USING (show_id)
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT key, fingerprint, expires_at, concat_ws(' ', outcome, (SELECT ids FROM ids)[new_booking], deadline)
    FROM unnest($19::text[], $20::bytea[], $21::timestamptz[], $22::text[], $23::bigint[], $24::bigint[])
         AS used (key, fingerprint, expires_at, outcome, new_booking, deadline)
)
SELECT id FROM new ORDER BY n
