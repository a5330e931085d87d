-- +goose Up
-- What keeps a store right in other people's hands.
UPDATE evercore_schema SET version = 3;

-- Every table can be found by a key, so that publications of all tables (FOR ALL TABLES, FOR TABLES IN SCHEMA) do not stop
-- updates and deletes. Snapshots have no natural key, since version may be NULL; a uuid needs no sequence that could lag behind.
ALTER TABLE evercore_snapshot ADD COLUMN snapshot_id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY;
DELETE FROM evercore_schema s WHERE EXISTS (SELECT FROM evercore_schema o WHERE o.ctid < s.ctid);
ALTER TABLE evercore_schema ADD PRIMARY KEY (version);
CREATE UNIQUE INDEX evercore_schema_one_row ON evercore_schema ((version IS NOT NULL));
DELETE FROM _evercore_floor f WHERE EXISTS (SELECT FROM _evercore_floor o WHERE o.floor > f.floor OR o.floor = f.floor AND o.ctid < f.ctid);
ALTER TABLE _evercore_floor ADD PRIMARY KEY (floor);
CREATE UNIQUE INDEX _evercore_floor_one_row ON _evercore_floor ((floor IS NOT NULL));

-- Which life of the server positions were last drawn in: sequences, since they are read and written outside of transactions.
CREATE SEQUENCE _evercore_timeline MINVALUE -9223372036854775808;
COMMENT ON SEQUENCE _evercore_timeline IS 'A mark of the timeline and the start of the server: where it differs, appends and claims look closer.';
CREATE SEQUENCE _evercore_system MINVALUE -9223372036854775808;
COMMENT ON SEQUENCE _evercore_system IS 'A mark of the server''s identity and timeline: where it differs, positions and tokens are drawn far ahead.';

-- Folds and policies by number: whoever reads them outside READ COMMITTED locks the row, and so fails where they changed meanwhile.
CREATE TABLE _evercore_declared (
  one_row    boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  generation bigint NOT NULL
);
INSERT INTO _evercore_declared (generation) VALUES (0);
COMMENT ON TABLE _evercore_declared IS 'Counts the declarations that changed something: one row.';

-- +goose Down
DROP TABLE _evercore_declared;
DROP SEQUENCE _evercore_system;
DROP SEQUENCE _evercore_timeline;
DROP INDEX _evercore_floor_one_row;
ALTER TABLE _evercore_floor DROP CONSTRAINT _evercore_floor_pkey;
DROP INDEX evercore_schema_one_row;
ALTER TABLE evercore_schema DROP CONSTRAINT evercore_schema_pkey;
ALTER TABLE evercore_snapshot DROP COLUMN snapshot_id;
UPDATE evercore_schema SET version = 2;
