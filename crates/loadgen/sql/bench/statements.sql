-- Purpose: what the statements in this database took since they were last reset, the dearest first.
-- Parameters: $1 at most so many. Locks: none. Yields: text, calls, milliseconds, bytes of log.
SELECT s.query, sum(s.calls)::bigint, sum(s.total_exec_time), sum(s.wal_bytes)::float8
FROM pg_stat_statements AS s
JOIN pg_database AS d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_current_wal_lsn%' AND s.query NOT LIKE '%pg_stat_%'
GROUP BY s.query
ORDER BY sum(s.total_exec_time) DESC
LIMIT $1
