-- Purpose: no two payments have the same reference.
-- Parameters: none. Locks: none, it reads one snapshot. Yields: one row for each offence, none if all is well.
SELECT reference, count(*) AS payments
FROM payments
GROUP BY reference
HAVING count(*) > 1
