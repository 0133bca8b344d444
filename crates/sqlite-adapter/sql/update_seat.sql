-- The state that a seat comes to.
-- ?1: show  ?2: number  ?3: status  ?4: booking or NULL  ?5: deadline of the hold or NULL
UPDATE seats
   SET status = ?3, booking_id = ?4, held_until = ?5
 WHERE show_id = ?1
   AND seat_number = ?2
