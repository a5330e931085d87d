-- Subscriptions: named durable cursors over the log, shared by workers under fenced leases.
-- goose reads this form too. Times are microseconds since 1970 UTC.

-- +goose Up
UPDATE evercore_schema SET version = 2, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

-- filter is the canonical text; the three columns after it are its parts, type_ids as ',3,5,'. last_token is
-- the newest token of all partitions and never goes back, which is why the row of a removed subscription stays:
-- a worker of its first life must not hold a token of the second. repartitionable: reset, and not moved since.
CREATE TABLE evercore_subscription (
  subscription_id INTEGER PRIMARY KEY,
  name            TEXT NOT NULL UNIQUE,
  filter          TEXT,
  aggregate_type  TEXT,
  natural_key     TEXT,
  type_ids        TEXT,
  partitions      INTEGER NOT NULL,
  start_position  INTEGER NOT NULL,
  last_token      INTEGER NOT NULL DEFAULT 0,
  active          INTEGER NOT NULL DEFAULT 1,
  repartitionable INTEGER NOT NULL DEFAULT 0,
  removed         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- token is the newest one given for this partition, and current while there is an owner. lease is the length
-- by which an ack renews.
CREATE TABLE evercore_subscription_partition (
  subscription_id  INTEGER NOT NULL,
  partition        INTEGER NOT NULL,
  position         INTEGER NOT NULL,
  token            INTEGER NOT NULL DEFAULT 0,
  owner            TEXT,
  lease            INTEGER,
  lease_expires_at INTEGER,
  last_error       TEXT,
  PRIMARY KEY (subscription_id, partition)
) STRICT, WITHOUT ROWID;

-- What each partition still has to read: where a filter is applied in SQL.
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

CREATE VIEW evercore_subscriptions AS
SELECT s.name, p.partition, s.filter, p.position,
       (SELECT count(*) FROM _evercore_unread u
         WHERE u.subscription_id = p.subscription_id AND u.partition = p.partition) AS lag_events,
       coalesce((SELECT max(0, CAST(strftime('%s', 'now') AS INTEGER) - u.recorded_at / 1000000)
          FROM _evercore_unread u
         WHERE u.subscription_id = p.subscription_id AND u.partition = p.partition
         ORDER BY u.position LIMIT 1), 0) AS lag_seconds,
       p.owner,
       CASE WHEN p.owner IS NOT NULL THEN p.token END AS token,
       strftime('%Y-%m-%dT%H:%M:%S', p.lease_expires_at / 1000000, 'unixepoch')
         || printf('.%06dZ', p.lease_expires_at % 1000000) AS lease_expires_at,
       s.active, p.last_error
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id;

-- +goose Down
DROP VIEW evercore_subscriptions;
DROP VIEW _evercore_unread;
DROP TABLE evercore_subscription_partition;
DROP TABLE evercore_subscription;
UPDATE evercore_schema SET version = 1, applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
