-- Whether any migration was ever applied to this file.
SELECT count(*) > 0 AS has_schema
  FROM sqlite_schema
 WHERE name = 'refinery_schema_history'
