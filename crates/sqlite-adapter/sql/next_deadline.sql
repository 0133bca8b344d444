-- The first deadline of a PENDING booking; one row, NULL if there is none.
SELECT min(expires_at) AS expires_at
  FROM bookings
 WHERE status = 'PENDING'
