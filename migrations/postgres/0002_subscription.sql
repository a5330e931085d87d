-- +goose Up
-- Subscriptions: named durable cursors over the log, shared by workers under fenced leases.
UPDATE evercore_schema SET version = 2;

-- One counter for the tokens of all subscriptions. It never goes back: not with a rollback, not in a second life of a
-- subscription; and two that claim do not wait for each other there.
CREATE SEQUENCE _evercore_token;
COMMENT ON SEQUENCE _evercore_token IS 'Fencing tokens: each claim draws the next.';

CREATE TABLE evercore_subscription (
  subscription_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name            text COLLATE "C" NOT NULL UNIQUE,
  filter          text,
  filter_version  bigint NOT NULL DEFAULT 1,
  aggregate_type  text COLLATE "C",
  natural_key     text COLLATE "C",
  event_types     text[] COLLATE "C",
  partitions      integer NOT NULL,
  start_position  bigint NOT NULL,
  active          boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE evercore_subscription IS 'Subscriptions by name, each with its filter and the number of its partitions.';
COMMENT ON COLUMN evercore_subscription.filter IS 'The canonical text; the columns aggregate_type, natural_key and event_types are its parts.';
COMMENT ON COLUMN evercore_subscription.filter_version IS 'Counts changes of the filter.';

-- Claims, acks and renewals update these rows in place: room in the pages keeps them off the index (HOT).
CREATE TABLE evercore_subscription_partition (
  subscription_id  bigint NOT NULL,
  partition        integer NOT NULL,
  position         bigint NOT NULL,
  token            bigint NOT NULL DEFAULT 0,
  owner            text,
  lease            interval,
  lease_expires_at timestamptz,
  seen             bigint,
  seen_filter      bigint,
  untouched        boolean NOT NULL DEFAULT false,
  last_error       text,
  PRIMARY KEY (subscription_id, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE evercore_subscription_partition IS 'The partitions of subscriptions: cursor, fencing token and lease of each.';
COMMENT ON COLUMN evercore_subscription_partition.token IS 'The newest token given for this partition; current while there is an owner.';
COMMENT ON COLUMN evercore_subscription_partition.lease IS 'The length by which an ack renews.';
COMMENT ON COLUMN evercore_subscription_partition.seen IS 'Up to where the last empty fetch with this token looked; seen_filter is the filter_version it looked with.';
COMMENT ON COLUMN evercore_subscription_partition.untouched IS 'Reset, and not moved since: the number of partitions may change.';

CREATE VIEW _evercore_unread AS
SELECT s.subscription_id, p.partition, e.position, e.aggregate_id, e.sequence, e.recorded_at
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
  JOIN evercore_event e ON e.position > p.position AND e.aggregate_id % s.partitions = p.partition
 WHERE (s.event_types IS NULL OR e.event_type = ANY (s.event_types))
   AND (s.aggregate_type IS NULL OR EXISTS (
         SELECT FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
          WHERE a.aggregate_id = e.aggregate_id AND t.name = s.aggregate_type
            AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)));
COMMENT ON VIEW _evercore_unread IS 'What each partition still has to read: where a filter is applied in SQL.';

CREATE VIEW evercore_subscriptions AS
SELECT s.name, p.partition, s.filter, p.position,
       (SELECT count(*) FROM _evercore_unread n WHERE n.subscription_id = p.subscription_id AND n.partition = p.partition) AS lag_events,
       greatest(0, coalesce(floor(extract(epoch FROM statement_timestamp()
         - (SELECT n.recorded_at FROM _evercore_unread n WHERE n.subscription_id = p.subscription_id AND n.partition = p.partition
             ORDER BY n.position LIMIT 1))), 0))::bigint AS lag_seconds,
       p.owner, CASE WHEN p.owner IS NOT NULL THEN p.token END AS token, p.lease_expires_at, s.active, p.last_error
  FROM evercore_subscription s
  JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id;
COMMENT ON VIEW evercore_subscriptions IS 'One row a partition of a subscription: cursor, lag of what passes the filter, owner, lease, last error.';

-- +goose Down
DROP VIEW evercore_subscriptions;
DROP VIEW _evercore_unread;
DROP TABLE evercore_subscription_partition;
DROP TABLE evercore_subscription;
DROP SEQUENCE _evercore_token;
UPDATE evercore_schema SET version = 1;
