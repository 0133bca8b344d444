-- Fails bookings, all for the same reason, and takes that down in the history. Their rows are locked by the caller, and so are those
-- of their shows, by a statement before this one: only a later one sees which numbers are used. No other lock is taken.
--
-- $1 timestamptz            the instant of the change
-- $2 text                   the new status
-- $3 text                   why, which is the event too
-- $4 text, $5 text          status before, who
-- $6 bigint[], $7 bigint[]  id, number of its last change
-- $8 bigint[], $9 bigint[]  show as an index into the shows, how many numbers of that show later
-- $10 bigint[]              the shows, each but once, ascending
WITH last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY changed.id) AS numbers
    FROM unnest($10::bigint[]) AS changed (id)
), failed AS (
    UPDATE bookings b
    SET status = $2::text, failure_reason = $3::text, updated_at = $1, last_change = last.numbers[entry.show] + entry.later
    FROM last
    CROSS JOIN unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS entry (booking_id, previous, show, later)
    WHERE b.id = entry.booking_id
    RETURNING b.show_id, b.last_change AS number, entry.previous, b.id, b.seat_numbers
)
INSERT INTO booking_history (show_id, number, previous, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT show_id, number, previous, id, $1, $3::text, $4::text, $5, seat_numbers
FROM failed
