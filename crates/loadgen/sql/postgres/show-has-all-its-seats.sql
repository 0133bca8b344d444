-- Purpose: a show has exactly the seats 1 to total_seats.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT shows.id AS show_id, shows.total_seats, count(s.seat_number) AS seats, min(s.seat_number) AS first, max(s.seat_number) AS last
FROM shows
LEFT JOIN seats AS s ON s.show_id = shows.id
GROUP BY shows.id, shows.total_seats
HAVING count(s.seat_number) <> shows.total_seats
    OR count(DISTINCT s.seat_number) <> shows.total_seats
    OR min(s.seat_number) IS DISTINCT FROM 1
    OR max(s.seat_number) IS DISTINCT FROM shows.total_seats
