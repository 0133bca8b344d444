-- What is said of a show, if it still is as it was read.
-- ?1: show  ?2: expected revision  ?3: name  ?4: start  ?5: life of a hold in seconds or NULL  ?6: its limit or NULL
-- ?7: whether customers may cancel what they have bought  ?8: whether late confirms are taken  ?9: most seats of a booking or NULL
-- ?10: of a customer or NULL  ?11: most live holds of a customer or NULL  ?12: begin of the sale or NULL  ?13: its end or NULL
UPDATE shows
   SET name = ?3, start_time = ?4, hold_seconds = ?5, hold_limit_seconds = ?6, customers_may_cancel = ?7, late_confirm = ?8,
       seats_per_booking = ?9, seats_per_customer = ?10, holds_per_customer = ?11, on_sale_at = ?12, off_sale_at = ?13,
       revision = revision + 1
 WHERE id = ?1
   AND revision = ?2
