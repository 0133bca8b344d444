-- The state that a booking comes to.
-- ?1: id  ?2: status  ?3: failure reason or NULL  ?4: instant of the sale or NULL  ?5: now
UPDATE bookings
   SET status = ?2, failure_reason = ?3, confirmed_at = ?4, updated_at = ?5
 WHERE id = ?1
