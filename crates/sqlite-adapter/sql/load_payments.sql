-- Payments that were named before.
-- ?1: their references, a JSON array of texts.
SELECT reference, booking_id, show_id, in_vain
  FROM payments
 WHERE reference IN (SELECT value FROM json_each(?1))
