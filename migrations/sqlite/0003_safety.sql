-- What keeps a store right in other people's hands.
-- goose reads this form too. Times are microseconds since 1970 UTC.

-- +goose Up
UPDATE evercore_schema SET version = 3, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

-- The newest position that compaction removed of the type from the aggregate: a subscription that begins below
-- it misses events. For what was removed before now it is an upper bound.
ALTER TABLE evercore_compacted_type ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
UPDATE evercore_compacted_type SET position = coalesce(
  (SELECT e.position - 1 FROM evercore_event e WHERE e.aggregate_id = evercore_compacted_type.aggregate_id
    ORDER BY e.sequence LIMIT 1),
  (SELECT max(position) FROM evercore_event), 0);

-- Tokens of subscriptions made from now on are above it: evercore_restored() raises it.
ALTER TABLE evercore_schema ADD COLUMN least_token INTEGER NOT NULL DEFAULT 0;

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

-- +goose Down
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
ALTER TABLE evercore_schema DROP COLUMN least_token;
ALTER TABLE evercore_compacted_type DROP COLUMN position;
UPDATE evercore_schema SET version = 2, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
