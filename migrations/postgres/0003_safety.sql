-- +goose Up
-- What keeps a store right in other people's hands.
-- First, as every append does: what is locked below is then in nobody's hands who waits for these.
LOCK TABLE evercore_aggregate, evercore_event IN SHARE ROW EXCLUSIVE MODE;
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

-- How far positions were given at least: the sequence they are drawn from can be set back, and compaction removes what shows it.
-- A position is 44 bits of an advisory lock's key.
-- In the same number, since each sequence that an append reads costs it 3 %: 2^46 says that events were replicated, bits 47 to 61 which
-- name the schema has, and a sign that there is a policy.
CREATE SEQUENCE _evercore_highest MINVALUE -9223372036854775808;
COMMENT ON SEQUENCE _evercore_highest IS
  'A position that was given (set by every eighth, by calls that draw many, and by compaction), and marks above its 45 bits.';
DROP SEQUENCE _evercore_policy;
ALTER SEQUENCE evercore_event_position_seq MAXVALUE 17592186044415;

-- What the appends of a call hand on, an array of them. The functions are there before it is, and take any array.
CREATE TYPE _evercore_new_event AS (
  append     integer,
  event_type text COLLATE "C",
  data       text,
  reference  text,
  metadata   text,
  happened   timestamptz,
  event_id   text COLLATE "C"
);
COMMENT ON TYPE _evercore_new_event IS 'An event that is to be written, and the number of the append in its call that it belongs to.';

-- Folds and policies by number: whoever reads them outside READ COMMITTED locks the row, and so fails where they changed meanwhile.
CREATE TABLE _evercore_declared (
  one_row    boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  generation bigint NOT NULL
);
INSERT INTO _evercore_declared (generation) VALUES (0);
COMMENT ON TABLE _evercore_declared IS 'Counts the declarations that changed something: one row.';

-- The newest position that compaction removed of the type from the aggregate: a subscription that begins below it misses events.
-- For what was removed before now it is an upper bound.
ALTER TABLE evercore_compacted_type ADD COLUMN position bigint;
UPDATE evercore_compacted_type c SET position = coalesce((SELECT a.base_position FROM evercore_aggregate a WHERE a.aggregate_id = c.aggregate_id), 0);
ALTER TABLE evercore_compacted_type ALTER COLUMN position SET NOT NULL;

CREATE OR REPLACE VIEW evercore_aggregates AS
SELECT a.aggregate_id, t.name AS aggregate_type, a.natural_key, a.sequence,
       coalesce(a.first_event_time,
                (SELECT coalesce(e.event_time, e.recorded_at) FROM evercore_event e
                  WHERE e.aggregate_id = a.aggregate_id AND e.sequence = a.base + 1)) AS first_event_time,
       coalesce((SELECT coalesce(e.event_time, e.recorded_at) FROM evercore_event e
                  WHERE e.aggregate_id = a.aggregate_id AND e.sequence = a.sequence),
                a.base_event_time) AS last_event_time,
       a.erased
  FROM evercore_aggregate a
  JOIN evercore_aggregate_type t ON t.type_id = a.type_id;
COMMENT ON VIEW evercore_aggregates IS
  'Every aggregate with its type, natural key, version, the times of its first and last event, and whether it was erased.';

-- +goose Down
DROP VIEW evercore_aggregates;
CREATE VIEW evercore_aggregates AS
SELECT a.aggregate_id, t.name AS aggregate_type, a.natural_key, a.sequence,
       coalesce(a.first_event_time,
                (SELECT coalesce(e.event_time, e.recorded_at) FROM evercore_event e
                  WHERE e.aggregate_id = a.aggregate_id AND e.sequence = a.base + 1)) AS first_event_time,
       coalesce((SELECT coalesce(e.event_time, e.recorded_at) FROM evercore_event e
                  WHERE e.aggregate_id = a.aggregate_id AND e.sequence = a.sequence),
                a.base_event_time) AS last_event_time
  FROM evercore_aggregate a
  JOIN evercore_aggregate_type t ON t.type_id = a.type_id;
COMMENT ON VIEW evercore_aggregates IS 'Every aggregate with its type, natural key, version and the times of its first and last event.';
ALTER TABLE evercore_compacted_type DROP COLUMN position;
DROP TABLE _evercore_declared;
DROP TYPE _evercore_new_event;
ALTER SEQUENCE evercore_event_position_seq NO MAXVALUE;
CREATE SEQUENCE _evercore_policy;
COMMENT ON SEQUENCE _evercore_policy IS 'Counts evercore_snapshot_policy calls: where there was none, appends need not look for a policy.';
SELECT nextval('_evercore_policy') WHERE EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.snapshot_every > 0);
DROP SEQUENCE _evercore_highest;
DROP SEQUENCE _evercore_system;
DROP SEQUENCE _evercore_timeline;
DROP INDEX _evercore_floor_one_row;
ALTER TABLE _evercore_floor DROP CONSTRAINT _evercore_floor_pkey;
DROP INDEX evercore_schema_one_row;
ALTER TABLE evercore_schema DROP CONSTRAINT evercore_schema_pkey;
ALTER TABLE evercore_snapshot DROP COLUMN snapshot_id;
UPDATE evercore_schema SET version = 2;
