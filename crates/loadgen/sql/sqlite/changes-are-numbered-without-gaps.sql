-- Purpose: the changes of each show are numbered from 1, without gaps and none twice, and the show has counted them.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT show_id, number, number_before
FROM (
    SELECT show_id, number, lag(number, 1, CAST(0 AS bigint)) OVER (PARTITION BY show_id ORDER BY number) AS number_before
    FROM booking_history
) AS numbered
WHERE number <> number_before + 1
UNION ALL
SELECT s.id, s.changes, last.number
FROM shows AS s
LEFT JOIN (SELECT show_id, max(number) AS number FROM booking_history GROUP BY show_id) AS last ON last.show_id = s.id
WHERE s.changes <> COALESCE(last.number, 0)
