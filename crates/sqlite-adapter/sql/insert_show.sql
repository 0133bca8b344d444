-- A new show; its id comes back.
-- ?1: name  ?2: start  ?3: number of seats  ?4: now  ?5: life of a hold in seconds or NULL  ?6: its limit or NULL
-- ?7: whether customers may cancel what they have bought  ?8: whether late confirms are taken  ?9: most seats of a booking or NULL
-- ?10: of a customer or NULL  ?11: most live holds of a customer or NULL  ?12: begin of the sale or NULL  ?13: its end or NULL
INSERT INTO shows (name, start_time, total_seats, created_at, hold_seconds, hold_limit_seconds, customers_may_cancel, late_confirm,
                   seats_per_booking, seats_per_customer, holds_per_customer, on_sale_at, off_sale_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
RETURNING id
