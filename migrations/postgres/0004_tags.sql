-- +goose Up
-- Tags: what events are about besides their aggregate, and the index that finds events by them.
LOCK TABLE evercore_aggregate, evercore_event IN SHARE ROW EXCLUSIVE MODE;
UPDATE evercore_schema SET version = 4;

ALTER TABLE evercore_event ADD COLUMN tags json;
ALTER TABLE evercore_event ADD COLUMN declared_tags integer;
COMMENT ON COLUMN evercore_event.tags IS 'An array of texts as array_to_json spells it, each once; NULL: none.';
COMMENT ON COLUMN evercore_event.declared_tags IS 'How many of the tags, the first ones, a declaration of the type gave; NULL: none.';

-- Tags by name, as types are: a dictionary of them would make two appends of one new tag wait for each other.
CREATE TABLE evercore_event_tag (
  tag        text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  position   bigint NOT NULL,
  PRIMARY KEY (tag, event_type, position)
);
COMMENT ON TABLE evercore_event_tag IS 'Events by their tags: a row for each tag of each event.';

-- What a type declares, as it was given.
ALTER TABLE evercore_event_type DROP CONSTRAINT evercore_event_type_fold_check;
ALTER TABLE evercore_event_type ADD CONSTRAINT evercore_event_type_fold_check CHECK (fold IN ('merge', 'patch', 'custom', 'rules'));
ALTER TABLE evercore_event_type ADD COLUMN rules json;
ALTER TABLE evercore_event_type ADD COLUMN declares_merge boolean NOT NULL DEFAULT false;
ALTER TABLE evercore_event_type ADD COLUMN schema json;
ALTER TABLE evercore_event_type ADD COLUMN upcast json;
ALTER TABLE evercore_event_type ADD COLUMN schema_path jsonpath;
ALTER TABLE evercore_event_type ADD COLUMN upcast_steps text[];
COMMENT ON COLUMN evercore_event_type.rules IS 'How it changes the state, where fold is rules.';
COMMENT ON COLUMN evercore_event_type.declares_merge IS 'Whether it was declared to merge, which types do that nobody declared too.';
COMMENT ON COLUMN evercore_event_type.schema IS 'What the data must be; NULL: anything.';
COMMENT ON COLUMN evercore_event_type.schema_path IS 'True of data that the schema takes, if not of all; NULL: none.';
COMMENT ON COLUMN evercore_event_type.upcast IS 'How older data are brought into the shape of today; NULL: they are in it.';
COMMENT ON COLUMN evercore_event_type.upcast_steps IS 'The same, taken apart; NULL: nothing is to be done.';

-- The tags that a type declares, and what is left to do for events that were there before: see evercore_fill.
ALTER TABLE evercore_event_type ADD COLUMN tags json;
ALTER TABLE evercore_event_type ADD COLUMN filled_to bigint NOT NULL DEFAULT 0;
ALTER TABLE evercore_event_type ADD COLUMN unfilled bigint NOT NULL DEFAULT 0;
CREATE INDEX evercore_event_type_unfilled ON evercore_event_type (name) WHERE unfilled > 0;
COMMENT ON COLUMN evercore_event_type.tags IS 'An object of prefixes and JSON Pointers, as it was given; NULL: none.';
COMMENT ON COLUMN evercore_event_type.unfilled IS 'How many events that were there at the declaration are above filled_to.';
CREATE VIEW evercore_event_types AS
SELECT k.name AS event_type, CASE WHEN k.fold <> 'merge' OR k.declares_merge THEN coalesce(k.rules::text, k.fold) END AS fold,
       k.schema, k.upcast, k.tags, k.unfilled = 0 AS filled
  FROM evercore_event_type k WHERE k.fold <> 'merge' OR k.declares_merge OR coalesce(k.schema, k.upcast, k.tags) IS NOT NULL;
COMMENT ON VIEW evercore_event_types IS 'What is declared of event types.';

-- What the states of an aggregate type must be, and what is left to do for aggregates that were there before: see evercore_fill.
ALTER TABLE evercore_aggregate_type ADD COLUMN schema json;
ALTER TABLE evercore_aggregate_type ADD COLUMN schema_path jsonpath;
ALTER TABLE evercore_aggregate_type ADD COLUMN filled_to bigint NOT NULL DEFAULT 0;
ALTER TABLE evercore_aggregate_type ADD COLUMN unfilled bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN evercore_aggregate_type.schema IS 'What the state must be after each event; NULL: anything.';
COMMENT ON COLUMN evercore_aggregate_type.schema_path IS 'True of states that the schema takes, if not of all; NULL: none.';
COMMENT ON COLUMN evercore_aggregate_type.unfilled IS 'How many aggregates above filled_to had no kept state at the declaration.';
CREATE VIEW evercore_aggregate_types AS
SELECT t.name AS aggregate_type, t.schema, t.snapshot_every, t.snapshot_keep, t.unfilled = 0 AS filled
  FROM evercore_aggregate_type t WHERE t.schema IS NOT NULL OR t.snapshot_every > 0;
COMMENT ON VIEW evercore_aggregate_types IS 'What is declared of aggregate types.';

-- The state after the last event, of aggregates whose states are checked. Nothing but what appends remember: one that is missing, or of another
-- sequence than the version, is made up by a fold. As text, since jsonb would print numbers that no payload may hold.
CREATE TABLE evercore_kept_state (
  aggregate_id bigint PRIMARY KEY,
  sequence     bigint NOT NULL,
  state        json NOT NULL
);
COMMENT ON TABLE evercore_kept_state IS 'States that the next append goes on from.';

ALTER TABLE evercore_subscription ADD COLUMN tags jsonb;
COMMENT ON COLUMN evercore_subscription.tags IS 'The tags that a filter asks for, all of them: an array of texts.';
CREATE OR REPLACE VIEW _evercore_unread AS
SELECT s.subscription_id, p.partition, e.position, e.aggregate_id, e.sequence, e.recorded_at
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
  JOIN evercore_event e ON e.position > p.position AND e.aggregate_id % s.partitions = p.partition
 WHERE (s.event_types IS NULL OR e.event_type = ANY (s.event_types))
   AND (s.tags IS NULL OR e.tags::jsonb @> s.tags)
   AND (s.aggregate_type IS NULL OR EXISTS (
         SELECT FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
          WHERE a.aggregate_id = e.aggregate_id AND t.name = s.aggregate_type
            AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)));

-- Whether event types are indexed, for conditions and queries by type: a declaration (evercore_index_types).
ALTER TABLE _evercore_declared ADD COLUMN by_type boolean NOT NULL DEFAULT false;

-- The newest position that compaction removed of a type, of all aggregates: conditions and queries by type look for it.
CREATE INDEX evercore_compacted_type_newest ON evercore_compacted_type (event_type, position);

ALTER TYPE _evercore_new_event ADD ATTRIBUTE tags text[] COLLATE "C";
ALTER TYPE _evercore_new_event ADD ATTRIBUTE declared_tags integer;

CREATE OR REPLACE VIEW evercore_log AS
SELECT e.position, e.aggregate_id, t.name AS aggregate_type, a.natural_key, e.sequence, e.event_type,
       e.data, e.reference, e.metadata, coalesce(e.event_time, e.recorded_at) AS event_time, e.recorded_at, e.event_id, e.tags
  FROM evercore_event e
  JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
  JOIN evercore_aggregate_type t ON t.type_id = a.type_id;

CREATE OR REPLACE VIEW evercore_append AS
SELECT NULL::text AS aggregate_type, NULL::text AS natural_key, NULL::text AS event_type, NULL::text AS data,
       NULL::bigint AS aggregate_id, NULL::bigint AS expected, NULL::text AS reference, NULL::text AS metadata,
       NULL::text AS event_time, NULL::text AS event_id, NULL::text AS tags
 WHERE false;

-- +goose Down
DROP VIEW evercore_append;
CREATE VIEW evercore_append AS
SELECT NULL::text AS aggregate_type, NULL::text AS natural_key, NULL::text AS event_type, NULL::text AS data,
       NULL::bigint AS aggregate_id, NULL::bigint AS expected, NULL::text AS reference, NULL::text AS metadata,
       NULL::text AS event_time, NULL::text AS event_id
 WHERE false;
COMMENT ON VIEW evercore_append IS 'Write-only: INSERT INTO evercore_append appends one event a row, atomically per statement.';
DROP VIEW evercore_log;
CREATE VIEW evercore_log AS
SELECT e.position, e.aggregate_id, t.name AS aggregate_type, a.natural_key, e.sequence, e.event_type,
       e.data, e.reference, e.metadata, coalesce(e.event_time, e.recorded_at) AS event_time, e.recorded_at, e.event_id
  FROM evercore_event e
  JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
  JOIN evercore_aggregate_type t ON t.type_id = a.type_id;
COMMENT ON VIEW evercore_log IS 'All events this transaction sees, for looking; followers use evercore_follow.';
DROP TABLE evercore_kept_state;
DROP VIEW evercore_aggregate_types;
ALTER TABLE evercore_aggregate_type DROP COLUMN unfilled;
ALTER TABLE evercore_aggregate_type DROP COLUMN filled_to;
ALTER TABLE evercore_aggregate_type DROP COLUMN schema_path;
ALTER TABLE evercore_aggregate_type DROP COLUMN schema;
ALTER TYPE _evercore_new_event DROP ATTRIBUTE declared_tags;
ALTER TYPE _evercore_new_event DROP ATTRIBUTE tags;
DROP VIEW evercore_event_types;
DROP INDEX evercore_event_type_unfilled;
ALTER TABLE evercore_event_type DROP COLUMN unfilled;
ALTER TABLE evercore_event_type DROP COLUMN filled_to;
ALTER TABLE evercore_event_type DROP COLUMN tags;
ALTER TABLE evercore_event_type DROP COLUMN upcast_steps;
ALTER TABLE evercore_event_type DROP COLUMN schema_path;
ALTER TABLE evercore_event_type DROP COLUMN upcast;
ALTER TABLE evercore_event_type DROP COLUMN schema;
ALTER TABLE evercore_event_type DROP COLUMN declares_merge;
ALTER TABLE evercore_event_type DROP COLUMN rules;
ALTER TABLE evercore_event_type DROP CONSTRAINT evercore_event_type_fold_check;
UPDATE evercore_event_type SET fold = 'merge' WHERE fold = 'rules';
ALTER TABLE evercore_event_type ADD CONSTRAINT evercore_event_type_fold_check CHECK (fold IN ('merge', 'patch', 'custom'));
CREATE OR REPLACE VIEW _evercore_unread AS
SELECT s.subscription_id, p.partition, e.position, e.aggregate_id, e.sequence, e.recorded_at
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
  JOIN evercore_event e ON e.position > p.position AND e.aggregate_id % s.partitions = p.partition
 WHERE (s.event_types IS NULL OR e.event_type = ANY (s.event_types))
   AND (s.aggregate_type IS NULL OR EXISTS (
         SELECT FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
          WHERE a.aggregate_id = e.aggregate_id AND t.name = s.aggregate_type
            AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)));
ALTER TABLE evercore_subscription DROP COLUMN tags;
DROP INDEX evercore_compacted_type_newest;
ALTER TABLE _evercore_declared DROP COLUMN by_type;
DROP TABLE evercore_event_tag;
ALTER TABLE evercore_event DROP COLUMN declared_tags;
ALTER TABLE evercore_event DROP COLUMN tags;
UPDATE evercore_schema SET version = 3;
