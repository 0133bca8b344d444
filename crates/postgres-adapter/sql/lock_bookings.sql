-- Locks and reads the bookings that a batch can change, in the transaction that has locked their seats.
--
-- $1 bigint[], $2 bigint[]  show and number of each wanted seat
-- $3 bigint[]               ids of the named bookings
-- $4 boolean                whether to reach for dead holds
-- $5 timestamptz            the time, or null for the database's clock
-- $6 bigint[], $7 bigint[]  booking and number of each seat that is wanted in the show of a named booking
--
-- Locks: bookings, in the order of their id: the named ones, and, reaching for dead holds, those with one on a wanted seat.
--
-- The clock is read for each row after its lock is held, see lock_seats.
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
    SELECT id
    FROM (
        SELECT named.id
        FROM unnest($3::bigint[]) AS named (id)
        UNION
        SELECT dead.booking_id
        FROM wanted
        JOIN seats dead USING (show_id, seat_number)
        WHERE $4 AND dead.held_until <= COALESCE($5::timestamptz, clock_timestamp())
    ) AS touched (id)
    ORDER BY id
) AS sorted
CROSS JOIN LATERAL (
    SELECT b.id, b.show_id, b.user_name, b.customer, b.blocked_for, b.payment_reference, b.seat_numbers, b.status,
           b.failure_reason, b.refund_due, b.reclaimed, b.expires_at, b.confirmed_at, b.created_at, b.updated_at,
           b.last_change
    FROM bookings b
    WHERE b.id = sorted.id
    FOR NO KEY UPDATE
) AS locked
