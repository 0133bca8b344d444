-- What customers have in shows that limit them.
-- ?1: shows and customers, a JSON array of pairs
SELECT bookings.id, bookings.show_id, bookings.customer, json_array_length(bookings.seat_numbers) AS seats,
       CASE bookings.status WHEN 'PENDING' THEN bookings.expires_at END AS held_until
  FROM json_each(?1) AS wanted
 CROSS JOIN shows
    ON shows.id = wanted.value ->> 0 AND (shows.seats_per_customer IS NOT NULL OR shows.holds_per_customer IS NOT NULL)
 CROSS JOIN bookings
    ON bookings.show_id = shows.id AND bookings.customer = wanted.value ->> 1
 WHERE bookings.customer IS NOT NULL
   AND bookings.status <> 'FAILED'
