-- Purpose: no two keys name the same booking as the one that was made under them.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT CAST(substr(outcome, instr(outcome, ' ') + 1) AS INTEGER) AS booking_id, group_concat(key) AS keys
FROM idempotency_keys
WHERE outcome LIKE 'held %' OR outcome LIKE 'blocked %'
GROUP BY CAST(substr(outcome, instr(outcome, ' ') + 1) AS INTEGER)
HAVING count(*) > 1
