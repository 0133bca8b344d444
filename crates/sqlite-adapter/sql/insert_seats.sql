-- All seats of a new show, numbered from 1. Their ids go on from the highest there is.
-- ?1: show  ?2: how many  ?3: status
WITH RECURSIVE numbers (number) AS (
    VALUES (1)
    UNION ALL
    SELECT number + 1 FROM numbers WHERE number < ?2
)
INSERT INTO seats (id, show_id, seat_number, status)
SELECT (SELECT coalesce(max(id), 0) FROM seats) + number, ?1, number, ?3
  FROM numbers
