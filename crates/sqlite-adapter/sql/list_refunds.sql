-- Money that has to be given back, for the newest bookings first: what was paid for bookings that failed, and what was paid in vain besides.
-- ?1: booking of the row behind which to go on, or one above all  ?2: that row's place among those of its booking: empty for the booking's
-- own row, which is the first, or the payment  ?3: how many at most
SELECT *
  FROM (SELECT id, show_id, payment_reference AS reference, failure_reason, updated_at AS since, '' AS place
          FROM bookings INDEXED BY bookings_refund_due
         WHERE refund_due
           AND id < ?1
         ORDER BY id DESC
         LIMIT ?3)
 UNION ALL
SELECT *
  FROM (SELECT booking_id, show_id, reference, NULL, recorded_at, reference
          FROM payments INDEXED BY payments_in_vain
         WHERE in_vain
           AND booking_id <= ?1
           AND (booking_id < ?1 OR reference > ?2)
           -- The booking's own row is for this payment.
           AND NOT EXISTS (SELECT 1
                             FROM bookings
                            WHERE id = payments.booking_id
                              AND refund_due
                              AND payment_reference = payments.reference)
         ORDER BY booking_id DESC, reference
         LIMIT ?3)
 ORDER BY id DESC, place
 LIMIT ?3
