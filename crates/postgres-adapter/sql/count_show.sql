-- How the seats and bookings of a show stand; no row if there is none. Locks nothing.
--
-- $1 bigint       show id
-- $2 timestamptz  the time, or null for the start of the transaction, which is before its snapshot
--
-- The bookings of a show are found in its history, which begins with each of them.
SELECT seats.available, seats.held, seats.taken - bookings.blocked AS sold, bookings.*
FROM (SELECT COALESCE($2::timestamptz, now()) AS now) AS at
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status = 'AVAILABLE' OR held_until <= at.now) AS available,
           count(*) FILTER (WHERE held_until > at.now) AS held,
           count(*) FILTER (WHERE status = 'CONFIRMED') AS taken
    FROM seats
    WHERE show_id = $1
) AS seats
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE b.status = 'PENDING' AND b.expires_at > at.now) AS pending,
           count(*) FILTER (WHERE b.status = 'CONFIRMED' AND b.blocked_for IS NULL) AS confirmed,
           COALESCE(sum(cardinality(b.seat_numbers)) FILTER (WHERE b.status = 'CONFIRMED' AND b.blocked_for IS NOT NULL), 0) AS blocked,
           count(*) FILTER (WHERE b.status = 'FAILED' OR (b.status = 'PENDING' AND b.expires_at <= at.now)) AS failed,
           count(*) FILTER (WHERE b.refund_due) AS refunds_due
    FROM booking_history h
    JOIN bookings b ON b.id = h.booking_id
    WHERE h.show_id = $1 AND h.from_status IS NULL
) AS bookings
WHERE EXISTS (SELECT FROM shows WHERE id = $1)
