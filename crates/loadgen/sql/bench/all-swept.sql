-- Purpose: whether every hold is swept.
-- Parameters: $1 the booking with the latest deadline, which is looked at first. Locks: none. Yields: yes or no.
SELECT CASE (SELECT status FROM bookings WHERE id = $1)
           WHEN 'PENDING' THEN false
           ELSE NOT EXISTS (SELECT FROM bookings WHERE status = 'PENDING')
       END
