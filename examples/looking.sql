-- Ready queries for looking at a store; one text for SQLite and PostgreSQL. docs/looking.md shows them at work.
-- Those up to the line of dashes read plain views: in SQLite they need no extension. examples/looking.sqbpro has the same
-- queries as tabs for DB Browser for SQLite.

-- newest events
SELECT position, aggregate_type, natural_key, sequence, event_type, event_time, reference, data
  FROM evercore_log ORDER BY position DESC LIMIT 100;

-- one aggregate
SELECT sequence, event_type, event_time, reference, data
  FROM evercore_log
 WHERE aggregate_id = (SELECT aggregate_id FROM evercore_aggregates WHERE aggregate_type = 'Account' AND natural_key = 'A-1')
 ORDER BY sequence;

-- one member over time
SELECT event_time, event_type, data ->> 'balance' AS balance
  FROM evercore_log
 WHERE aggregate_id = (SELECT aggregate_id FROM evercore_aggregates WHERE aggregate_type = 'Account' AND natural_key = 'A-1')
   AND data ->> 'balance' IS NOT NULL
 ORDER BY sequence;

-- longest aggregates
SELECT aggregate_type, natural_key, aggregate_id, sequence, first_event_time, last_event_time
  FROM evercore_aggregates ORDER BY sequence DESC, aggregate_id LIMIT 20;

-- kinds of events
SELECT aggregate_type, event_type, count(*) AS events, min(event_time) AS first, max(event_time) AS last
  FROM evercore_log GROUP BY aggregate_type, event_type ORDER BY count(*) DESC, aggregate_type, event_type;

-- events by day
SELECT substr(CAST(event_time AS text), 1, 10) AS day, count(*) AS events, count(DISTINCT aggregate_id) AS aggregates
  FROM evercore_log GROUP BY 1 ORDER BY 1 DESC LIMIT 60;

-- who did what
SELECT reference, event_type, count(*) AS events, max(event_time) AS last
  FROM evercore_log WHERE reference IS NOT NULL GROUP BY reference, event_type ORDER BY reference, event_type;

-- subscriptions
SELECT name, partition, position, lag_events, lag_seconds, owner, lease_expires_at, active, last_error
  FROM evercore_subscriptions ORDER BY lag_events DESC, name, partition;

-- ------------------------------------------------------------------ in SQLite, from here on with the extension loaded

-- states
SELECT aggregate_type, natural_key, sequence, evercore_state(aggregate_id) AS state
  FROM evercore_aggregates ORDER BY aggregate_id LIMIT 100;

-- history
SELECT sequence, event_type, event_time, reference, data, state FROM evercore_history(evercore_find('Account', 'A-1'));

-- figures
SELECT name, value FROM evercore_stats();

-- check
SELECT aggregate_id, position, problem FROM evercore_check();
