-- Puts what happened to bookings into the history. The rows of their shows are locked by the caller, by a statement before this one:
-- only a later one sees which numbers are used. No other lock is taken.
--
-- $1 timestamptz              when
-- $2 bigint[], $3 bigint[]    show, booking
-- $4 text[], $5 text[]        event, status before
-- $6 text[], $7 text[]        who, seat numbers as an array literal
-- $8 bigint[], $9 bigint[]    show as an index into the shows, how many numbers of that show later
-- $10 bigint[]                the shows, each but once, ascending
WITH last AS MATERIALIZED (
    SELECT array_agg(COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.id ORDER BY h.number DESC LIMIT 1
    ), 0) ORDER BY changed.id) AS numbers
    FROM unnest($10::bigint[]) AS changed (id)
)
INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT entry.show_id, last.numbers[entry.show] + entry.later, entry.booking_id, $1, entry.event, entry.from_status, entry.actor,
       entry.seat_numbers::integer[]
FROM last
CROSS JOIN unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
     AS entry (show_id, booking_id, event, from_status, actor, seat_numbers, show, later)
