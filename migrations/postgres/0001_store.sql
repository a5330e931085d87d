-- +goose Up
-- The store: aggregates, their events in position order, snapshots, and what compaction has to remember.
-- Names are unqualified: the schema is the first one on the search_path of whoever runs this.
CREATE TABLE evercore_schema (
  version integer NOT NULL
);
COMMENT ON TABLE evercore_schema IS 'The schema version this store is at: one row.';
INSERT INTO evercore_schema (version) VALUES (1);

CREATE TABLE evercore_aggregate_type (
  type_id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name           text COLLATE "C" NOT NULL UNIQUE,
  snapshot_every bigint NOT NULL DEFAULT 0,
  snapshot_keep  bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE evercore_aggregate_type IS 'Aggregate types by name, with their snapshot policy (evercore_snapshot_policy).';

CREATE SEQUENCE _evercore_policy;
COMMENT ON SEQUENCE _evercore_policy IS 'Counts evercore_snapshot_policy calls: where there was none, appends need not look for a policy.';

-- Only types that were declared: all others fold by merge. An event bears the name of its type itself: interning saves a few
-- bytes an event and costs each append a lookup, and each reader a join.
CREATE TABLE evercore_event_type (
  name text COLLATE "C" PRIMARY KEY,
  fold text NOT NULL CHECK (fold IN ('merge', 'patch', 'custom'))
);
COMMENT ON TABLE evercore_event_type IS 'Event types that were declared, with how each changes the state (evercore_event_type).';

-- The version is counted in place; room in the pages keeps those updates off the indexes (HOT).
CREATE TABLE evercore_aggregate (
  aggregate_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sequence         bigint NOT NULL DEFAULT 0,
  base             bigint NOT NULL DEFAULT 0,
  type_id          integer NOT NULL,
  erased           boolean NOT NULL DEFAULT false,
  natural_key      text COLLATE "C",
  base_position    bigint,
  first_event_time timestamptz,
  base_event_time  timestamptz,
  newest_removed   timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX evercore_aggregate_key ON evercore_aggregate (type_id, natural_key) WHERE natural_key IS NOT NULL;
COMMENT ON TABLE evercore_aggregate IS 'Aggregates: type, natural key, version, and what compaction removed.';
COMMENT ON COLUMN evercore_aggregate.sequence IS 'The version: the sequence of the last event, 0 before the first.';
COMMENT ON COLUMN evercore_aggregate.base IS 'The last sequence that compaction removed; 0 where nothing was.';
COMMENT ON COLUMN evercore_aggregate.base_position IS 'The position of the event at base.';
COMMENT ON COLUMN evercore_aggregate.first_event_time IS 'event_time of the first event, remembered when it was compacted.';
COMMENT ON COLUMN evercore_aggregate.base_event_time IS 'event_time of the event at base.';
COMMENT ON COLUMN evercore_aggregate.newest_removed IS 'The newest event_time among compacted events.';

CREATE TABLE evercore_event (
  position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  aggregate_id bigint NOT NULL,
  sequence     bigint NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  event_type   text COLLATE "C" NOT NULL,
  data         json NOT NULL,
  event_time   timestamptz,
  reference    text,
  metadata     json,
  event_id     text COLLATE "C"
);
CREATE UNIQUE INDEX evercore_event_sequence ON evercore_event (aggregate_id, sequence);
CREATE UNIQUE INDEX evercore_event_event_id ON evercore_event (event_id) WHERE event_id IS NOT NULL;
COMMENT ON TABLE evercore_event IS 'Events in position order. Append-only: read it through evercore_log; hang AFTER INSERT triggers and indexes on it.';
COMMENT ON COLUMN evercore_event.event_time IS 'As the caller gave it; NULL: the same as recorded_at.';

CREATE TABLE evercore_event_id (
  event_id     text COLLATE "C" PRIMARY KEY,
  aggregate_id bigint NOT NULL,
  sequence     bigint NOT NULL,
  position     bigint NOT NULL,
  event_type   text COLLATE "C" NOT NULL,
  digest       bytea
);
COMMENT ON TABLE evercore_event_id IS 'The event ids of compacted events, with the SHA-256 of their data, so that repeats are known for ever.';

CREATE TABLE evercore_snapshot (
  aggregate_id bigint NOT NULL,
  sequence     bigint NOT NULL,
  version      bigint,
  state        json NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX evercore_snapshot_engine ON evercore_snapshot (aggregate_id, sequence) WHERE version IS NULL;
CREATE UNIQUE INDEX evercore_snapshot_application ON evercore_snapshot (aggregate_id, version, sequence) WHERE version IS NOT NULL;
COMMENT ON TABLE evercore_snapshot IS 'States at a sequence: engine snapshots (version NULL) and application snapshots.';

CREATE TABLE evercore_compacted_type (
  aggregate_id bigint NOT NULL,
  event_type   text COLLATE "C" NOT NULL,
  PRIMARY KEY (aggregate_id, event_type)
);
COMMENT ON TABLE evercore_compacted_type IS 'Which event types compaction removed from an aggregate: their fold can no longer change.';

CREATE TABLE _evercore_floor (
  floor        bigint NOT NULL,
  published_at timestamptz NOT NULL
);
INSERT INTO _evercore_floor VALUES (0, clock_timestamp());
COMMENT ON TABLE _evercore_floor IS 'The newest position below which nothing can still appear, as last published: what followers on a standby may read to.';

CREATE UNLOGGED TABLE _evercore_pending (
  depth integer NOT NULL,
  part  integer NOT NULL,
  rows  text NOT NULL
);
COMMENT ON TABLE _evercore_pending IS 'Rows of an INSERT INTO evercore_append that is still running, where they are many; empty otherwise.';

CREATE VIEW evercore_log AS
SELECT e.position, e.aggregate_id, t.name AS aggregate_type, a.natural_key, e.sequence, e.event_type,
       e.data, e.reference, e.metadata, coalesce(e.event_time, e.recorded_at) AS event_time, e.recorded_at, e.event_id
  FROM evercore_event e
  JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
  JOIN evercore_aggregate_type t ON t.type_id = a.type_id;
COMMENT ON VIEW evercore_log IS 'All events this transaction sees, for looking; followers use evercore_follow.';

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

CREATE VIEW evercore_append AS
SELECT NULL::text AS aggregate_type, NULL::text AS natural_key, NULL::text AS event_type, NULL::text AS data,
       NULL::bigint AS aggregate_id, NULL::bigint AS expected, NULL::text AS reference, NULL::text AS metadata,
       NULL::text AS event_time, NULL::text AS event_id
 WHERE false;
COMMENT ON VIEW evercore_append IS 'Write-only: INSERT INTO evercore_append appends one event a row, atomically per statement.';

-- +goose Down
DROP VIEW IF EXISTS evercore_in_flight;
DROP VIEW evercore_append;
DROP VIEW evercore_aggregates;
DROP VIEW evercore_log;
DROP TABLE _evercore_pending;
DROP TABLE _evercore_floor;
DROP TABLE evercore_compacted_type;
DROP TABLE evercore_snapshot;
DROP TABLE evercore_event_id;
DROP TABLE evercore_event;
DROP TABLE evercore_aggregate;
DROP TABLE evercore_event_type;
DROP SEQUENCE _evercore_policy;
DROP TABLE evercore_aggregate_type;
DROP TABLE evercore_schema;
