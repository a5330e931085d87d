-- What keeps a store right in other people's hands.
-- goose reads this form too. Times are microseconds since 1970 UTC.

-- +goose Up
UPDATE evercore_schema SET version = 3, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

-- INSERT OR REPLACE removes what stands in its way, and SQLite calls no DELETE trigger for it. But under REPLACE alone
-- it compiles the default of a column that must not be NULL, to put it where NULL is given: here one that calls a
-- function which nobody has, so that a REPLACE does not compile, and its error says why. Nothing of ours asks for it.
-- A default is changed by the schema's text, and by no statement (https://sqlite.org/lang_altertable.html, section 7);
-- the ALTER TABLE behind it reads the schema anew.
PRAGMA writable_schema = ON;
WITH guarded (name, col) AS (VALUES
  ('evercore_event', 'sequence     INTEGER NOT NULL'), ('evercore_event_id', 'sequence     INTEGER NOT NULL'),
  ('evercore_aggregate', 'type_id         INTEGER NOT NULL'), ('evercore_aggregate_type', 'name           TEXT NOT NULL UNIQUE'),
  ('evercore_event_type', 'name    TEXT NOT NULL UNIQUE'), ('evercore_compacted_type', 'type_id      INTEGER NOT NULL'))
UPDATE sqlite_schema AS s
   SET sql = replace(sql, col, col || ' DEFAULT ("EV010: evercore''s tables are not open to REPLACE: what is there stays"())')
  FROM guarded
 WHERE s.type = 'table' AND s.name = guarded.name;
PRAGMA writable_schema = OFF;

-- The newest position that compaction removed of the type from the aggregate: a subscription that begins below
-- it misses events. For what was removed before now it is an upper bound.
ALTER TABLE evercore_compacted_type ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
UPDATE evercore_compacted_type SET position = coalesce(
  (SELECT e.position - 1 FROM evercore_event e WHERE e.aggregate_id = evercore_compacted_type.aggregate_id
    ORDER BY e.sequence LIMIT 1),
  (SELECT max(position) FROM evercore_event), 0);

-- Tokens of subscriptions made from now on are above it: evercore_restored() raises it.
ALTER TABLE evercore_schema ADD COLUMN least_token INTEGER NOT NULL DEFAULT 0;

-- What an erasure has to blank.
CREATE INDEX evercore_event_id_aggregate ON evercore_event_id (aggregate_id) WHERE data_sha256 IS NOT NULL;

DROP VIEW evercore_aggregates;
CREATE VIEW evercore_aggregates AS
SELECT aggregate_id, aggregate_type, natural_key, sequence,
       strftime('%Y-%m-%dT%H:%M:%S', (first_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch')
         || printf('.%06dZ', (first_time + 62135596800000000) % 1000000) AS first_event_time,
       strftime('%Y-%m-%dT%H:%M:%S', (last_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch')
         || printf('.%06dZ', (last_time + 62135596800000000) % 1000000) AS last_event_time,
       erased
  FROM (SELECT a.aggregate_id, t.name AS aggregate_type, a.natural_key, a.erased,
               coalesce((SELECT max(sequence) FROM evercore_event WHERE aggregate_id = a.aggregate_id), a.base)
                 AS sequence,
               coalesce(a.base_first_time, (SELECT event_time FROM evercore_event
                 WHERE aggregate_id = a.aggregate_id ORDER BY sequence LIMIT 1)) AS first_time,
               coalesce((SELECT event_time FROM evercore_event
                 WHERE aggregate_id = a.aggregate_id ORDER BY sequence DESC LIMIT 1), a.base_last_time) AS last_time
          FROM evercore_aggregate a
          JOIN evercore_aggregate_type t ON t.type_id = a.type_id);

-- What evercore itself never does to these tables, nobody should; the way past is that of the events. No lists of columns: SQLite
-- does not know rowid in them, another name of the id.
-- +goose StatementBegin
CREATE TRIGGER evercore_aggregate_no_delete BEFORE DELETE ON evercore_aggregate
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: aggregates stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_aggregate_no_update BEFORE UPDATE ON evercore_aggregate
WHEN (NEW.aggregate_id <> OLD.aggregate_id OR NEW.type_id <> OLD.type_id) AND NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: aggregates keep their id and type');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_aggregate_type_no_delete BEFORE DELETE ON evercore_aggregate_type
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: types stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_aggregate_type_no_update BEFORE UPDATE ON evercore_aggregate_type
WHEN NEW.type_id <> OLD.type_id AND NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: types keep their id');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_type_no_delete BEFORE DELETE ON evercore_event_type
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: types stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_type_no_update BEFORE UPDATE ON evercore_event_type
WHEN NEW.type_id <> OLD.type_id AND NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: types keep their id');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_id_no_delete BEFORE DELETE ON evercore_event_id
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: event_ids stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_id_no_update BEFORE UPDATE OF event_id, aggregate_id, sequence, position, type_id
ON evercore_event_id
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: event_ids stay');
END;
-- +goose StatementEnd

-- Under UPDATE OR REPLACE the aggregate that has the key would go.
-- +goose StatementBegin
CREATE TRIGGER evercore_aggregate_no_takeover BEFORE UPDATE OF natural_key ON evercore_aggregate
WHEN EXISTS (SELECT 1 FROM evercore_aggregate WHERE type_id = NEW.type_id AND natural_key = NEW.natural_key
               AND aggregate_id <> NEW.aggregate_id)
  AND NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: that natural key is taken');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER evercore_aggregate_no_takeover;
DROP TRIGGER evercore_event_id_no_update;
DROP TRIGGER evercore_event_id_no_delete;
DROP TRIGGER evercore_event_type_no_update;
DROP TRIGGER evercore_event_type_no_delete;
DROP TRIGGER evercore_aggregate_type_no_update;
DROP TRIGGER evercore_aggregate_type_no_delete;
DROP TRIGGER evercore_aggregate_no_update;
DROP TRIGGER evercore_aggregate_no_delete;
DROP VIEW evercore_aggregates;
CREATE VIEW evercore_aggregates AS
SELECT aggregate_id, aggregate_type, natural_key, sequence,
       strftime('%Y-%m-%dT%H:%M:%S', (first_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch')
         || printf('.%06dZ', (first_time + 62135596800000000) % 1000000) AS first_event_time,
       strftime('%Y-%m-%dT%H:%M:%S', (last_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch')
         || printf('.%06dZ', (last_time + 62135596800000000) % 1000000) AS last_event_time
  FROM (SELECT a.aggregate_id, t.name AS aggregate_type, a.natural_key,
               coalesce((SELECT max(sequence) FROM evercore_event WHERE aggregate_id = a.aggregate_id), a.base)
                 AS sequence,
               coalesce(a.base_first_time, (SELECT event_time FROM evercore_event
                 WHERE aggregate_id = a.aggregate_id ORDER BY sequence LIMIT 1)) AS first_time,
               coalesce((SELECT event_time FROM evercore_event
                 WHERE aggregate_id = a.aggregate_id ORDER BY sequence DESC LIMIT 1), a.base_last_time) AS last_time
          FROM evercore_aggregate a
          JOIN evercore_aggregate_type t ON t.type_id = a.type_id);
DROP INDEX evercore_event_id_aggregate;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema AS s
   SET sql = replace(sql, ' DEFAULT ("EV010: evercore''s tables are not open to REPLACE: what is there stays"())', '')
 WHERE type = 'table' AND s.name IN ('evercore_event', 'evercore_event_id', 'evercore_aggregate', 'evercore_aggregate_type',
   'evercore_event_type', 'evercore_compacted_type');
PRAGMA writable_schema = OFF;
ALTER TABLE evercore_schema DROP COLUMN least_token;
ALTER TABLE evercore_compacted_type DROP COLUMN position;
UPDATE evercore_schema SET version = 2, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
