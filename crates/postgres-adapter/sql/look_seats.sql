-- Reads seats as they are committed, to refuse holds that can't be had. Locks nothing, waits for nobody.
--
-- $1 bigint[], $2 bigint[]  show and number of each wanted seat
-- $3 timestamptz            the time, or null for the database's: before the snapshot is taken, and after
SELECT s.show_id, s.seat_number, s.status AS seat_status, s.booking_id, s.held_until,
       COALESCE($3::timestamptz, now()) AS before, COALESCE($3::timestamptz, clock_timestamp()) AS after
FROM unnest($1::bigint[], $2::bigint[]) AS wanted (show_id, seat_number)
JOIN seats s USING (show_id, seat_number)
