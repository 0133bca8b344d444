-- Puts what happened to bookings into the history. The rows of their shows are locked by the caller, by a statement before this one:
-- only a later one sees which numbers are used. No other lock is taken.
--
-- $1 timestamptz              when
-- $2 bigint[], $3 bigint[]    show, booking
-- $4 text[], $5 text[]        event, status before
-- $6 text[], $7 text[]        who, seat numbers as an array literal
WITH last AS MATERIALIZED (
    SELECT show_id, COALESCE((
        SELECT h.number FROM booking_history h WHERE h.show_id = changed.show_id ORDER BY h.number DESC LIMIT 1
    ), 0) AS number
    FROM (SELECT DISTINCT unnest($2::bigint[]) AS show_id) AS changed
)
INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
SELECT entry.show_id, last.number + row_number() OVER (PARTITION BY entry.show_id ORDER BY n),
       entry.booking_id, $1, entry.event, entry.from_status, entry.actor, entry.seat_numbers::integer[]
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
     WITH ORDINALITY AS entry (show_id, booking_id, event, from_status, actor, seat_numbers, n)
JOIN last USING (show_id)
