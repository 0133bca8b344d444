-- What customers have in shows that limit them: every booking that is not FAILED. The rows of the shows are locked by the caller, by a
-- statement before this one: nobody else can change what is counted here until the batch ends. Locks nothing.
--
-- $1 bigint[], $2 text[]  show and customer of each who wants seats
-- $3 bigint[]             ids of the named bookings, whose customers are needed too
SELECT b.id, b.show_id, b.customer, cardinality(b.seat_numbers) AS seats, CASE b.status WHEN 'PENDING' THEN b.expires_at END AS held_until
FROM (
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted (show_id, customer)
    UNION
    SELECT n.show_id, n.customer
    FROM unnest($3::bigint[]) AS named (id)
    JOIN bookings n ON n.id = named.id
    WHERE n.customer IS NOT NULL
) AS who
JOIN shows s ON s.id = who.show_id AND (s.seats_per_customer IS NOT NULL OR s.holds_per_customer IS NOT NULL)
JOIN bookings b ON b.show_id = who.show_id AND b.customer = who.customer AND b.customer IS NOT NULL AND b.status <> 'FAILED'
