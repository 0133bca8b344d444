-- Makes the new bookings of a batch, brings stored ones and seats to what they have become, and takes down what happened and what is
-- to be known again; returns the new ids in order.
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
WITH last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY changed.id) AS numbers
    FROM unnest($31::bigint[]) AS changed (id)
), new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, given.n, ($31::bigint[])[given.show] AS show_id, given.user_name,
           given.seat_numbers::integer[] AS seat_numbers, given.expires_at, given.actor, last.numbers[given.show] + given.later AS number,
           given.customer, given.blocked_for
    FROM last
    CROSS JOIN unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[], $38::text[], $39::text[])
         WITH ORDINALITY AS given (user_name, seat_numbers, expires_at, actor, show, later, customer, blocked_for, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change, customer,
                          blocked_for, confirmed_at)
    SELECT id, show_id, user_name, seat_numbers, CASE WHEN blocked_for IS NULL THEN 'PENDING' ELSE 'CONFIRMED' END, expires_at,
           $1::timestamptz, $1::timestamptz, number, customer, blocked_for, CASE WHEN blocked_for IS NOT NULL THEN $1::timestamptz END
    FROM new
), ids AS MATERIALIZED (
    SELECT array_agg(id ORDER BY n) AS ids FROM new
), taken AS (
    UPDATE seats s
    SET status = change.status,
        booking_id = COALESCE(change.booking_id, (SELECT ids FROM ids)[change.new_booking]),
        held_until = change.held_until
    FROM unnest($8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::timestamptz[])
         AS change (show_id, seat_number, status, booking_id, new_booking, held_until)
    WHERE s.show_id = change.show_id AND s.seat_number = change.seat_number
), stood AS MATERIALIZED (
    SELECT array_agg(b.last_change ORDER BY b.id) AS last_changes
    FROM unnest($14::bigint[]) AS change (id)
    JOIN bookings b ON b.id = change.id
), changed AS (
    UPDATE bookings b
    SET status = change.status, failure_reason = change.failure_reason, refund_due = change.refund_due,
        confirmed_at = change.confirmed_at, seat_numbers = change.seat_numbers::integer[], expires_at = change.expires_at,
        updated_at = $1, last_change = last.numbers[change.show] + change.later, payment_reference = change.payment_reference,
        reclaimed = change.reclaimed
    FROM last
    CROSS JOIN unnest($14::bigint[], $15::text[], $16::text[], $17::boolean[], $18::timestamptz[], $19::text[], $20::timestamptz[],
                      $21::bigint[], $22::bigint[], $40::text[], $41::boolean[])
         AS change (id, status, failure_reason, refund_due, confirmed_at, seat_numbers, expires_at, show, later, payment_reference,
                    reclaimed)
    WHERE b.id = change.id
), held AS (
    INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
    SELECT show_id, number, id, $1, CASE WHEN blocked_for IS NULL THEN 'held' ELSE 'blocked' END, actor, seat_numbers
    FROM new
), recorded AS (
    INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
    SELECT ($31::bigint[])[entry.show], last.numbers[entry.show] + entry.later,
           COALESCE(last.numbers[entry.show] + entry.follows, stood.last_changes[entry.booking]),
           ($14::bigint[])[entry.booking], $1, entry.event, entry.from_status, entry.actor, entry.seat_numbers::integer[]
    FROM last
    CROSS JOIN stood
    CROSS JOIN unnest($23::bigint[], $24::text[], $25::text[], $26::text[], $27::text[], $28::bigint[], $29::bigint[], $30::bigint[])
         AS entry (booking, event, from_status, actor, seat_numbers, show, later, follows)
), paid AS (
    INSERT INTO payments (reference, booking_id, show_id, recorded_at, in_vain)
    SELECT reference, booking_id, show_id, $1::timestamptz, in_vain
    FROM unnest($42::text[], $43::bigint[], $44::bigint[], $45::boolean[]) AS payment (reference, booking_id, show_id, in_vain)
    ORDER BY reference
), known AS (
    INSERT INTO idempotency_keys (key, fingerprint, expires_at, outcome)
    SELECT key, fingerprint, expires_at, concat_ws(' ', outcome, (SELECT ids FROM ids)[new_booking], deadline)
    FROM unnest($32::text[], $33::bytea[], $34::timestamptz[], $35::text[], $36::bigint[], $37::bigint[])
         AS used (key, fingerprint, expires_at, outcome, new_booking, deadline)
    ORDER BY used.key
)
SELECT id FROM new ORDER BY n
