-- The last migration that was applied; one row, NULL if there is none.
SELECT max(version) AS version
  FROM refinery_schema_history
