-- Tags: what an event is about besides its aggregate.
-- goose reads this form too.

-- +goose Up
UPDATE evercore_schema SET version = 4, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

-- A compact JSON array of texts, each once; NULL where there are none. declared_tags is how many of the leading ones
-- were derived from a declaration of the event's type.
ALTER TABLE evercore_event ADD COLUMN tags TEXT;
ALTER TABLE evercore_event ADD COLUMN declared_tags INTEGER;

-- Its default keeps REPLACE out: migration 3.
CREATE TABLE evercore_tag (
  tag_id INTEGER PRIMARY KEY,
  tag    TEXT NOT NULL UNIQUE DEFAULT ("EV010: evercore's tables are not open to REPLACE: what is there stays"())
) STRICT;

-- Which events bear a tag. With the type in it a tag and a type are one range, in order of position.
CREATE TABLE evercore_event_tag (
  tag_id   INTEGER NOT NULL,
  type_id  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tag_id, type_id, position)
) STRICT, WITHOUT ROWID;

-- The newest position that compaction removed of a type.
CREATE INDEX evercore_compacted_type_position ON evercore_compacted_type (type_id, position);

-- +goose StatementBegin
CREATE TRIGGER evercore_tag_no_delete BEFORE DELETE ON evercore_tag
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: tags stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_tag_no_update BEFORE UPDATE ON evercore_tag
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: tags stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_tag_no_delete BEFORE DELETE ON evercore_event_tag
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: tags stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_tag_no_update BEFORE UPDATE ON evercore_event_tag
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: tags stay');
END;
-- +goose StatementEnd

-- What an event type declares, as it was given. Where it has rules they fold its events, and fold is 0.
-- declares_merge is 1 where it was declared to merge, which types do that nobody declared too.
ALTER TABLE evercore_event_type ADD COLUMN rules TEXT;
ALTER TABLE evercore_event_type ADD COLUMN declares_merge INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evercore_event_type ADD COLUMN schema TEXT;
ALTER TABLE evercore_event_type ADD COLUMN upcast TEXT;
-- Declared tags: prefixes, and JSON Pointers into the data. Of the events that were there before, those after position filled_to up
-- to fill_upto have yet to be tagged, and unfilled says how many; all NULL where none has.
ALTER TABLE evercore_event_type ADD COLUMN tags TEXT;
ALTER TABLE evercore_event_type ADD COLUMN filled_to INTEGER;
ALTER TABLE evercore_event_type ADD COLUMN fill_upto INTEGER;
ALTER TABLE evercore_event_type ADD COLUMN unfilled INTEGER;

-- Drawn at random by each declaration of tags: while it is the same, what a connection has read of them holds. A count could be the
-- same in a file that was put in the place of this one.
ALTER TABLE evercore_schema ADD COLUMN declared_mark INTEGER NOT NULL DEFAULT 0;

CREATE VIEW evercore_event_types AS
SELECT name AS event_type,
       coalesce(rules, CASE fold WHEN 0 THEN CASE WHEN declares_merge THEN 'merge' END WHEN 1 THEN 'patch' ELSE 'custom' END) AS fold,
       schema, upcast, tags, fill_upto IS NULL AS filled
  FROM evercore_event_type
 WHERE fold <> 0 OR declares_merge OR coalesce(rules, schema, upcast, tags) IS NOT NULL;

-- What the states of an aggregate type must be, as it was given. Of the aggregates that were there before, those after id filled_to up
-- to fill_upto may have no kept state yet, and unfilled says how many; all NULL where each has one.
ALTER TABLE evercore_aggregate_type ADD COLUMN schema TEXT;
ALTER TABLE evercore_aggregate_type ADD COLUMN filled_to INTEGER;
ALTER TABLE evercore_aggregate_type ADD COLUMN fill_upto INTEGER;
ALTER TABLE evercore_aggregate_type ADD COLUMN unfilled INTEGER;

-- The state after an aggregate's last event, for an append to go on from. A row whose sequence is not the version is never believed.
CREATE TABLE evercore_kept_state (
  aggregate_id INTEGER PRIMARY KEY,
  sequence     INTEGER NOT NULL,
  state        TEXT NOT NULL
) STRICT;

CREATE VIEW evercore_aggregate_types AS
SELECT name AS aggregate_type, schema, snapshot_every, snapshot_keep, fill_upto IS NULL AS filled
  FROM evercore_aggregate_type
 WHERE schema IS NOT NULL OR snapshot_every > 0;

-- Conditions by type rest on what compaction removed, so that it is kept as events are.
-- +goose StatementBegin
CREATE TRIGGER evercore_compacted_type_no_delete BEFORE DELETE ON evercore_compacted_type
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: what was compacted stays known');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_compacted_type_no_update BEFORE UPDATE ON evercore_compacted_type
WHEN (NEW.aggregate_id <> OLD.aggregate_id OR NEW.type_id <> OLD.type_id OR NEW.position < OLD.position)
  AND NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: what was compacted stays known');
END;
-- +goose StatementEnd

-- The tags of a filter, as a JSON array: an event passes that bears all of them.
ALTER TABLE evercore_subscription ADD COLUMN tags TEXT;
DROP VIEW _evercore_unread;
CREATE VIEW _evercore_unread AS
SELECT s.subscription_id, s.name, p.partition, e.position, e.aggregate_id, e.sequence,
       coalesce(e.recorded_at, e.event_time) AS recorded_at
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
  JOIN evercore_event e NOT INDEXED ON e.position > p.position
 WHERE e.aggregate_id % s.partitions = p.partition
   AND e.aggregate_id <> 0
   AND (s.type_ids IS NULL OR instr(s.type_ids, ',' || e.type_id || ',') > 0)
   AND (s.aggregate_type IS NULL OR EXISTS (
         SELECT 1 FROM evercore_aggregate a
           JOIN evercore_aggregate_type t ON t.type_id = a.type_id
          WHERE a.aggregate_id = e.aggregate_id AND t.name = s.aggregate_type
            AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)))
   AND (s.tags IS NULL OR NOT EXISTS (
         SELECT 1 FROM json_each(s.tags) w WHERE NOT EXISTS (
           SELECT 1 FROM evercore_tag t CROSS JOIN evercore_event_tag x
            WHERE t.tag = w.value AND x.tag_id = t.tag_id AND x.type_id = e.type_id AND x.position = e.position)));

-- As before, but for the + before the bound: that one would hide a bound of the query's own, and the scan go from
-- the end of the log. What an INSERT appends that reads it is passed over row by row.
DROP VIEW evercore_log;
CREATE VIEW evercore_log AS
SELECT e.position, e.aggregate_id, t.name AS aggregate_type, a.natural_key, e.sequence, n.name AS event_type,
       coalesce(e.data, '{}') AS data, e.reference, e.metadata,
       printf('%s.%06dZ', strftime('%Y-%m-%dT%H:%M:%S',
         (e.event_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch'),
         (e.event_time + 62135596800000000) % 1000000) AS event_time,
       printf('%s.%06dZ', strftime('%Y-%m-%dT%H:%M:%S',
         (coalesce(e.recorded_at, e.event_time) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch'),
         (coalesce(e.recorded_at, e.event_time) + 62135596800000000) % 1000000) AS recorded_at,
       e.event_id, e.tags
  FROM evercore_event e
  LEFT JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
  LEFT JOIN evercore_aggregate_type t ON t.type_id = a.type_id
  LEFT JOIN evercore_event_type n ON n.type_id = e.type_id
 WHERE +e.position <= (SELECT max(position) FROM evercore_event NOT INDEXED)
   AND +e.aggregate_id <> 0;

-- +goose Down
DROP VIEW _evercore_unread;
CREATE VIEW _evercore_unread AS
SELECT s.subscription_id, s.name, p.partition, e.position, e.aggregate_id, e.sequence,
       coalesce(e.recorded_at, e.event_time) AS recorded_at
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
  JOIN evercore_event e ON e.position > p.position
 WHERE e.aggregate_id % s.partitions = p.partition
   AND e.aggregate_id <> 0
   AND (s.type_ids IS NULL OR instr(s.type_ids, ',' || e.type_id || ',') > 0)
   AND (s.aggregate_type IS NULL OR EXISTS (
         SELECT 1 FROM evercore_aggregate a
           JOIN evercore_aggregate_type t ON t.type_id = a.type_id
          WHERE a.aggregate_id = e.aggregate_id AND t.name = s.aggregate_type
            AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)));
ALTER TABLE evercore_subscription DROP COLUMN tags;
DROP VIEW evercore_log;
CREATE VIEW evercore_log AS
SELECT e.position, e.aggregate_id, t.name AS aggregate_type, a.natural_key, e.sequence, n.name AS event_type,
       coalesce(e.data, '{}') AS data, e.reference, e.metadata,
       printf('%s.%06dZ', strftime('%Y-%m-%dT%H:%M:%S',
         (e.event_time + 62135596800000000) / 1000000 - 62135596800, 'unixepoch'),
         (e.event_time + 62135596800000000) % 1000000) AS event_time,
       printf('%s.%06dZ', strftime('%Y-%m-%dT%H:%M:%S',
         (coalesce(e.recorded_at, e.event_time) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch'),
         (coalesce(e.recorded_at, e.event_time) + 62135596800000000) % 1000000) AS recorded_at,
       e.event_id
  FROM evercore_event e
  LEFT JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
  LEFT JOIN evercore_aggregate_type t ON t.type_id = a.type_id
  LEFT JOIN evercore_event_type n ON n.type_id = e.type_id
 WHERE e.position <= (SELECT max(position) FROM evercore_event)
   AND +e.aggregate_id <> 0;
DROP TRIGGER evercore_compacted_type_no_update;
DROP TRIGGER evercore_compacted_type_no_delete;
DROP INDEX evercore_compacted_type_position;
DROP TABLE evercore_event_tag;
DROP TABLE evercore_tag;
DROP VIEW evercore_event_types;
DROP VIEW evercore_aggregate_types;
DROP TABLE evercore_kept_state;
ALTER TABLE evercore_aggregate_type DROP COLUMN unfilled;
ALTER TABLE evercore_aggregate_type DROP COLUMN fill_upto;
ALTER TABLE evercore_aggregate_type DROP COLUMN filled_to;
ALTER TABLE evercore_aggregate_type DROP COLUMN schema;
ALTER TABLE evercore_schema DROP COLUMN declared_mark;
ALTER TABLE evercore_event_type DROP COLUMN unfilled;
ALTER TABLE evercore_event_type DROP COLUMN fill_upto;
ALTER TABLE evercore_event_type DROP COLUMN filled_to;
ALTER TABLE evercore_event_type DROP COLUMN tags;
ALTER TABLE evercore_event_type DROP COLUMN upcast;
ALTER TABLE evercore_event_type DROP COLUMN schema;
ALTER TABLE evercore_event_type DROP COLUMN declares_merge;
ALTER TABLE evercore_event_type DROP COLUMN rules;
ALTER TABLE evercore_event DROP COLUMN declared_tags;
ALTER TABLE evercore_event DROP COLUMN tags;
UPDATE evercore_schema SET version = 3, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
