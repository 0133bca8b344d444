-- Fails bookings whose holds have run out, and takes that down in the history. Their rows are locked by the caller, so that they can't
-- have moved since, and so are those of their shows, by a statement before this one: only a later one sees which numbers are used. No
-- other lock is taken.
--
-- $1 timestamptz            the instant of the change
-- $2 tid[]                  where the rows of the bookings are
-- $3 bigint[], $4 bigint[]  id, ascending; number of its last change
-- $5 bigint[], $6 bigint[]  show as an index into the shows, how many numbers of that show later
-- $7 bigint[]               the shows, each but once, ascending
--
-- Whoever sells seats of these shows waits for this one. A join with the arrays would make it a tenth dearer: each row finds its place
-- in them by itself. The words are made values of their domains once; written as they are, they would be checked again for each row.
WITH given AS MATERIALIZED (
    SELECT array_agg(COALESCE((
               SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
           ), 0) ORDER BY changed.id) AS numbers,
           'PENDING'::booking_status AS before, 'FAILED'::booking_status AS status, 'expired'::failure_reason AS reason,
           'expired'::booking_event AS event
    FROM unnest($7::bigint[]) AS changed (id)
), failed AS (
    UPDATE bookings b
    SET status = given.status, failure_reason = given.reason, updated_at = $1,
        last_change = given.numbers[($5::bigint[])[width_bucket(b.id, $3::bigint[])]] + ($6::bigint[])[width_bucket(b.id, $3)]
    FROM given
    WHERE b.ctid = ANY ($2)
    RETURNING b.show_id, b.last_change AS number, b.id, b.seat_numbers, given.event, given.before
)
INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT show_id, number, ($4::bigint[])[width_bucket(id, $3)], id, $1, event, before, 'system', seat_numbers
FROM failed
