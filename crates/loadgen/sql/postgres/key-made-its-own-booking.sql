-- Purpose: no two keys name the same booking as the one that was made under them.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT split_part(outcome, ' ', 2) AS booking_id, array_agg(key ORDER BY key) AS keys
FROM idempotency_keys
WHERE outcome LIKE 'held %' OR outcome LIKE 'blocked %'
GROUP BY split_part(outcome, ' ', 2)
HAVING count(*) > 1
