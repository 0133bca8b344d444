-- Money that has to be given back, for the newest bookings first: what was paid for bookings that failed, and what was paid in vain besides.
-- Locks nothing.
--
-- $1 bigint  booking of the row behind which to go on, or null for the start
-- $2 text    that row's place among those of its booking: null for the booking's own row, which is the first, or the payment
-- $3 bigint  at most this many
SELECT *
FROM (
    (
        SELECT b.id AS booking_id, b.show_id, b.payment_reference AS reference, b.failure_reason, b.updated_at AS since, '' COLLATE "C" AS place
        FROM bookings b
        WHERE b.refund_due AND b.id < COALESCE($1::bigint, 9223372036854775807)
        ORDER BY b.id DESC
        LIMIT $3
    )
    UNION ALL
    (
        SELECT p.booking_id, p.show_id, p.reference, NULL, p.recorded_at, p.reference
        FROM payments p
        WHERE p.in_vain
          AND p.booking_id <= COALESCE($1::bigint, 9223372036854775807)
          AND (p.booking_id < COALESCE($1::bigint, 9223372036854775807) OR p.reference > COALESCE($2::text, ''))
          -- The booking's own row is for this payment.
          AND NOT EXISTS (
              SELECT FROM bookings b WHERE b.id = p.booking_id AND b.refund_due AND b.payment_reference = p.reference
          )
        ORDER BY p.booking_id DESC, p.reference
        LIMIT $3
    )
) AS due
ORDER BY booking_id DESC, place
LIMIT $3
