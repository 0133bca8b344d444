-- Locks and reads the seats that a batch can touch.
--
-- $1 bigint[], $2 bigint[]  show and number of each wanted seat
-- $3 bigint[]               ids of the named bookings
-- $4 boolean                whether to reach for dead holds
-- $5 timestamptz            the time, or null for the database's clock
-- $6 bigint[], $7 bigint[]  booking and number of each seat that is wanted in the show of a named booking
--
-- Locks: seats, in key order: the wanted ones, every seat of a named booking, and, reaching for dead holds, every seat of a
-- booking whose dead hold is on a wanted one. Which seats a booking has is read before they are locked, so a hold that dies, or
-- changes, while this waits for a lock can be missing: the domain notices, and the batch is run again.
--
-- Each seat is locked in a query of its own, in the order of the sorted keys: that always goes by the key, and is cheaper than to
-- carry whole rows through a join to the locks. The clock is read for each row after its lock is held, so that of the last row after
-- all.
WITH wanted AS MATERIALIZED (
    SELECT show_id, seat_number
    FROM unnest($1::bigint[], $2::bigint[]) AS given (show_id, seat_number)
    UNION ALL
    SELECT b.show_id, added.seat_number
    FROM unnest($6::bigint[], $7::bigint[]) AS added (id, seat_number)
    JOIN bookings b ON b.id = added.id
    UNION ALL
    SELECT b.show_id, unnest(b.seat_numbers)
    FROM unnest($3::bigint[]) AS named (id)
    JOIN bookings b ON b.id = named.id
    WHERE $4 AND b.status = 'FAILED'
)
SELECT locked.*, clock_timestamp() AS now
FROM (
    SELECT show_id, seat_number
    FROM (
        SELECT show_id, seat_number FROM wanted
        UNION
        SELECT b.show_id, unnest(b.seat_numbers)
        FROM unnest($3::bigint[]) AS named (id)
        JOIN bookings b ON b.id = named.id
        UNION
        SELECT b.show_id, unnest(b.seat_numbers)
        FROM wanted
        JOIN seats dead USING (show_id, seat_number)
        JOIN bookings b ON b.id = dead.booking_id
        WHERE $4 AND dead.held_until <= COALESCE($5::timestamptz, clock_timestamp())
    ) AS touched (show_id, seat_number)
    ORDER BY show_id, seat_number
) AS sorted
CROSS JOIN LATERAL (
    SELECT s.show_id, s.seat_number, s.status AS seat_status, s.booking_id, s.held_until
    FROM seats s
    WHERE s.show_id = sorted.show_id AND s.seat_number = sorted.seat_number
    FOR NO KEY UPDATE
) AS locked
