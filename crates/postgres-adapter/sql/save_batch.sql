-- Makes the new bookings of a batch and brings its seats to their new states; returns the new ids in order.
--
-- $1 timestamptz              the instant of the change
-- $2 bigint[], $3 text[]      new bookings: show, user name
-- $4 text[], $5 timestamptz[] new bookings: seat numbers as an array literal, deadline
-- $6 bigint[], $7 bigint[]    seats: show, number
-- $8 text[]                   seats: new status
-- $9 bigint[], $10 bigint[]   seats: booking that has it, by id or as an index (from 1) into the new bookings; null for none
-- $11 timestamptz[]           seats: deadline of the hold, or null
--
-- The seats are locked by the caller; no other lock is taken. An id is used up by a booking that is made, not by a refused one.
WITH new AS MATERIALIZED (
    SELECT nextval('bookings_id_seq') AS id, n, show_id, user_name, seat_numbers, expires_at
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
         WITH ORDINALITY AS given (show_id, user_name, seat_numbers, expires_at, n)
), made AS (
    INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at)
    SELECT id, show_id, user_name, seat_numbers::integer[], 'PENDING', expires_at, $1, $1
    FROM new
), ids AS (
    SELECT array_agg(id ORDER BY n) AS ids FROM new
), taken AS (
    UPDATE seats s
    SET status = change.status,
        booking_id = COALESCE(change.booking_id, (SELECT ids FROM ids)[change.new_booking]),
        held_until = change.held_until
    FROM unnest($6::bigint[], $7::bigint[], $8::text[], $9::bigint[], $10::bigint[], $11::timestamptz[])
         AS change (show_id, seat_number, status, booking_id, new_booking, held_until)
    WHERE s.show_id = change.show_id AND s.seat_number = change.seat_number
)
SELECT id FROM new ORDER BY n
