-- The store: aggregates, their events and snapshots, and the relations that show them.
-- goose reads this form too. Times are microseconds since 1970 UTC; docs/design.md has the layout's figures.

-- +goose Up
CREATE TABLE evercore_schema (
  version    INTEGER PRIMARY KEY,
  applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
INSERT INTO evercore_schema (version) VALUES (1);

CREATE TABLE evercore_aggregate_type (
  type_id        INTEGER PRIMARY KEY,
  name           TEXT NOT NULL UNIQUE,
  snapshot_every INTEGER NOT NULL DEFAULT 0,
  snapshot_keep  INTEGER NOT NULL DEFAULT 1
) STRICT;

-- fold: 0 merge, 1 patch, 2 custom
CREATE TABLE evercore_event_type (
  type_id INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  fold    INTEGER NOT NULL DEFAULT 0 CHECK (fold IN (0, 1, 2))
) STRICT;

-- The version of an aggregate is its newest event's sequence, or base, the newest sequence that compaction
-- removed. What begins with base is written by compaction alone, so that an append dirties no page here.
CREATE TABLE evercore_aggregate (
  aggregate_id    INTEGER PRIMARY KEY,
  type_id         INTEGER NOT NULL,
  natural_key     TEXT,
  erased          INTEGER NOT NULL DEFAULT 0,
  base            INTEGER NOT NULL DEFAULT 0,
  base_first_time INTEGER,
  base_last_time  INTEGER,
  base_max_time   INTEGER
) STRICT;
CREATE UNIQUE INDEX evercore_aggregate_key ON evercore_aggregate (type_id, natural_key)
  WHERE natural_key IS NOT NULL;

-- recorded_at is NULL where it equals event_time; data is NULL where erasure blanked it. A row of aggregate 0
-- is no event: it keeps the newest position taken after compaction removed the event there.
CREATE TABLE evercore_event (
  position     INTEGER PRIMARY KEY,
  aggregate_id INTEGER NOT NULL,
  sequence     INTEGER NOT NULL,
  type_id      INTEGER NOT NULL,
  event_time   INTEGER NOT NULL,
  recorded_at  INTEGER,
  data         TEXT,
  reference    TEXT,
  metadata     TEXT,
  event_id     TEXT
) STRICT;
CREATE UNIQUE INDEX evercore_event_sequence ON evercore_event (aggregate_id, sequence);
CREATE UNIQUE INDEX evercore_event_event_id ON evercore_event (event_id) WHERE event_id IS NOT NULL;

-- The event_ids of events that compaction removed: an append stays idempotent after it.
CREATE TABLE evercore_event_id (
  event_id     TEXT PRIMARY KEY,
  aggregate_id INTEGER NOT NULL,
  sequence     INTEGER NOT NULL,
  position     INTEGER NOT NULL,
  type_id      INTEGER NOT NULL,
  data_sha256  BLOB
) STRICT, WITHOUT ROWID;

-- Which event types compaction removed from which aggregate: their fold can no longer change.
CREATE TABLE evercore_compacted_type (
  aggregate_id INTEGER NOT NULL,
  type_id      INTEGER NOT NULL,
  PRIMARY KEY (aggregate_id, type_id)
) STRICT, WITHOUT ROWID;

-- application 0: an engine snapshot (version 0); 1: the application's own, of that version.
CREATE TABLE evercore_snapshot (
  aggregate_id INTEGER NOT NULL,
  application  INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  sequence     INTEGER NOT NULL,
  state        TEXT NOT NULL,
  PRIMARY KEY (aggregate_id, application, version, sequence)
) STRICT, WITHOUT ROWID;

-- A row stands here only inside a compaction or an erasure: it lets their DELETE and UPDATE pass the
-- triggers below, and a rollback takes it away again.
CREATE TABLE _evercore_maintenance (
  task TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER evercore_event_no_update BEFORE UPDATE ON evercore_event
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: events are append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evercore_event_no_delete BEFORE DELETE ON evercore_event
WHEN NOT EXISTS (SELECT 1 FROM _evercore_maintenance)
BEGIN
  SELECT RAISE(ABORT, 'EV010: events are append-only');
END;
-- +goose StatementEnd

-- Bounded by the head at its start, so that an INSERT that reads it never feeds on its own rows. LEFT JOIN
-- keeps the order of positions and lets SQLite leave out the tables whose columns nobody asks for.
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

-- 62135596800 is the number of seconds from year 1 to 1970: it keeps the division and the rest of times before
-- 1970 from rounding toward zero.
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

CREATE VIEW evercore_in_flight AS
SELECT NULL AS position, NULL AS holder, NULL AS since WHERE 0;

-- +goose Down
DROP VIEW evercore_in_flight;
DROP VIEW evercore_aggregates;
DROP VIEW evercore_log;
DROP TABLE _evercore_maintenance;
DROP TABLE evercore_snapshot;
DROP TABLE evercore_compacted_type;
DROP TABLE evercore_event_id;
DROP TABLE evercore_event;
DROP TABLE evercore_aggregate;
DROP TABLE evercore_event_type;
DROP TABLE evercore_aggregate_type;
DROP TABLE evercore_schema;
