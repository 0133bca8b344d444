-- The version that the migrations have brought the schema to; null if none was applied. Locks nothing.
SELECT max(version) AS version FROM refinery_schema_history
