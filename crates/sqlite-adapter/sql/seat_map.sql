-- The seats of a show by number. A show has at least one seat, so no row means no show.
-- ?1: show
SELECT id, show_id, seat_number, status, booking_id, held_until
  FROM seats
 WHERE show_id = ?1
 ORDER BY seat_number
