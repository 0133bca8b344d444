-- What a booking comes to.
-- ?1: id  ?2: status  ?3: failure reason or NULL  ?4: whether a refund is due  ?5: instant of the sale or NULL  ?6: seats, a JSON array
-- ?7: deadline  ?8: now  ?9: payment or NULL  ?10: whether it was reclaimed
UPDATE bookings
   SET status = ?2, failure_reason = ?3, refund_due = ?4, confirmed_at = ?5, seat_numbers = ?6, expires_at = ?7, updated_at = ?8,
       payment_reference = ?9, reclaimed = ?10
 WHERE id = ?1
