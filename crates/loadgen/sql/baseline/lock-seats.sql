-- Purpose: the second of the five trips: lock the wanted seats and see whether they are free.
-- Parameters: $1 show, $2 seat numbers. Locks: those seats, in the order of their numbers. Yields: a row for each.
-- A join and not `= ANY`, for which PostgreSQL may walk along all seats of the show.
SELECT s.seat_number, s.status
FROM unnest($2::integer[]) AS wanted (seat_number)
JOIN seats AS s ON s.show_id = $1 AND s.seat_number = wanted.seat_number
ORDER BY s.seat_number
FOR UPDATE OF s
