-- Locks and reads the shows of a batch, in the transaction that has locked their seats and bookings.
--
-- $1 bigint[]  ids of the shows in which seats are wanted
-- $2 bigint[]  ids of the named bookings, whose shows are needed too
--
-- Locks: shows, in the order of their id. Whoever has the lock gives the next numbers to the changes of the show.
--
-- The clock is read for each row after its lock is held, see lock_seats.
SELECT locked.*, clock_timestamp() AS now
FROM (
    SELECT id
    FROM (
        SELECT unnest($1::bigint[])
        UNION
        SELECT b.show_id
        FROM unnest($2::bigint[]) AS named (id)
        JOIN bookings b ON b.id = named.id
    ) AS touched (id)
    ORDER BY id
) AS sorted
CROSS JOIN LATERAL (
    SELECT s.id, s.hold_seconds, s.hold_limit_seconds, s.customers_may_cancel, s.late_confirm, s.seats_per_booking,
           s.seats_per_customer, s.holds_per_customer, s.on_sale_at, s.off_sale_at, s.cancelled_at, s.revision,
           s.ctid AS address
    FROM shows s
    WHERE s.id = sorted.id
    FOR NO KEY UPDATE
) AS locked
