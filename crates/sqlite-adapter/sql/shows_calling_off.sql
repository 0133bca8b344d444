-- Cancelled shows some of whose bookings may not have failed yet.
SELECT id, cancelled_by
  FROM shows
 WHERE calling_off
 ORDER BY id
 LIMIT 100
