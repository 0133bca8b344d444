-- Those of the named seats that exist, found by key, one after the other (CROSS JOIN keeps that order of the loops).
-- ?1: their keys, a JSON array of [show_id, seat_number], each key once.
SELECT seats.id, seats.show_id, seats.seat_number, seats.status, seats.booking_id, seats.held_until
  FROM json_each(?1) AS wanted
 CROSS JOIN seats
    ON seats.show_id = wanted.value ->> 0
   AND seats.seat_number = wanted.value ->> 1
