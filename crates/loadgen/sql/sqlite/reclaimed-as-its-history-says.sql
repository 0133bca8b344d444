-- Purpose: a booking is reclaimed exactly if the last step that made it CONFIRMED says so, and it is CONFIRMED still.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT b.show_id, b.id AS booking_id, b.status, b.reclaimed, sale.event
FROM bookings AS b
LEFT JOIN (
    SELECT booking_id, event, row_number() OVER (PARTITION BY booking_id ORDER BY number DESC) AS sales_to_come
    FROM booking_history
    WHERE event IN ('confirmed', 'reclaimed', 'blocked')
) AS sale ON sale.booking_id = b.id AND sale.sales_to_come = 1
WHERE b.reclaimed <> (b.status = 'CONFIRMED' AND COALESCE(sale.event, 'none') = 'reclaimed')
