-- Purpose: the second of the five trips: lock the wanted seats and see whether they are free.
-- Parameters: $1 show, $2 seat numbers. Locks: those seats, in the order of their numbers. Yields: a row for each.
SELECT seat_number, status FROM seats WHERE show_id = $1 AND seat_number = ANY ($2) ORDER BY seat_number FOR UPDATE
