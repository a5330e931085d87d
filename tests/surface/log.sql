-- Reading: the log, following it, one aggregate's events, what a program needs to rebuild one.

-- the events of this script
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_time, event_id) VALUES
  ('User', 'ann', 'Registered', '{"name":"Ann"}', 'web', '{"ip":"::1"}', '2026-01-01T08:00:00Z', 'r-1'),
  ('User', 'bob', 'Registered', '{"name":"Bob"}', NULL, NULL, '2026-01-02T08:00:00Z', NULL),
  ('Order', '100', 'Placed', '{"total":12}', NULL, NULL, '2026-01-02T09:30:00Z', NULL),
  ('User', 'ann', 'Renamed', '{"name":"Anna"}', 'admin', NULL, '2026-01-03T08:00:00Z', NULL),
  ('Order', '100', 'Shipped', '{"carrier":"bike"}', NULL, NULL, '2026-01-04T17:45:10.5Z', NULL);

-- evercore_log has everything, in the order of position
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, event_id
  FROM evercore_log ORDER BY position;

-- recorded_at is when the store took the event, by its own clock, whatever event_time says
SELECT position, event_time, recorded_at FROM evercore_log WHERE position <= 2 ORDER BY position;

-- it is a plain view: filter, group and join it, take members out of the data
SELECT event_type, count(*), max(sequence) FROM evercore_log GROUP BY event_type ORDER BY event_type;
SELECT natural_key, data ->> 'name' FROM evercore_log WHERE aggregate_type = 'User' ORDER BY position;
SELECT l.event_type, a.sequence FROM evercore_log AS l JOIN evercore_aggregates AS a ON a.aggregate_id = l.aggregate_id
  WHERE a.natural_key = '100' ORDER BY l.position;

-- it shows what this transaction has appended, before it commits; a follower waits for the commit
BEGIN;
SELECT evercore_append(2, 1, 'Renamed', '{"name":"Bobby"}');
SELECT natural_key, sequence, data FROM evercore_log WHERE aggregate_id = 2 ORDER BY position;
SELECT sequence, data FROM evercore_events(2);
SELECT position FROM evercore_follow(4);
ROLLBACK;
SELECT count(*) FROM evercore_log WHERE aggregate_id = 2;

-- evercore_follow gives the events after a position, in order: from the beginning where none is given
SELECT position, natural_key, event_type FROM evercore_follow();
SELECT position, natural_key, event_type FROM evercore_follow(3);

-- … at most so many
SELECT position FROM evercore_follow(1, 2);
SELECT position FROM evercore_follow(NULL, 1);
SELECT position FROM evercore_follow(2, NULL);
SELECT position FROM evercore_follow(0, 0);

-- … any number below the first is a place to begin, and so is the last
SELECT count(*) FROM evercore_follow(-7);
SELECT position FROM evercore_follow(5);

-- … with the columns of the log
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, recorded_at, event_id
  FROM evercore_follow(0, 1);

-- evercore_events gives one aggregate's events after a sequence
SELECT position, sequence, event_type, data FROM evercore_events(1);
SELECT position, sequence, event_type FROM evercore_events(1, 1);
SELECT sequence FROM evercore_events(1, 0, 1);
SELECT sequence FROM evercore_events(1, NULL, NULL);
SELECT sequence FROM evercore_events(1, 2);
SELECT sequence FROM evercore_events(1, -1, 1);

-- … no rows for an id that is unknown or NULL
SELECT * FROM evercore_events(99);
SELECT * FROM evercore_events(evercore_find('User', 'nobody'));

-- nobody follows from a position that was never given
SELECT position FROM evercore_follow(1000000);

-- a limit is not negative
SELECT position FROM evercore_follow(0, -1);

-- evercore_replay gives a base row, that of no events where no snapshot is, and the events after it
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, event_id
  FROM evercore_replay(1);

-- … the base row alone for an aggregate without events
SELECT evercore_create('User', 'cyd');
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, recorded_at FROM evercore_replay(4);

-- … an unknown aggregate is EV002 here, since no row at all would be read as no events
SELECT * FROM evercore_replay(99);
SELECT * FROM evercore_replay(evercore_find('User', 'nobody'));

-- evercore_history has the state after each event
SELECT sequence, event_type, event_time, reference, data, state FROM evercore_history(3);
SELECT sequence, reference, state FROM evercore_history(1);

-- … and no rows where there are no events, or no aggregate
SELECT * FROM evercore_history(4);
SELECT * FROM evercore_history(99);
SELECT * FROM evercore_history(NULL);

-- functions that only read may stand in views
CREATE VIEW users AS SELECT natural_key, evercore_state(aggregate_id) AS state FROM evercore_aggregates WHERE aggregate_type = 'User';
SELECT natural_key, state FROM users ORDER BY natural_key;
CREATE VIEW order_events AS SELECT sequence, event_type FROM evercore_events(evercore_find('Order', '100'));
SELECT * FROM order_events;

-- evercore_event is the table behind the log: users can count it, join it and index it
SELECT count(*), max(position), max(aggregate_id), max(sequence) FROM evercore_event;
CREATE INDEX my_own_index ON evercore_event (aggregate_id, position);
SELECT position FROM evercore_event WHERE aggregate_id = 3 ORDER BY position;

-- events are append-only: no UPDATE, no DELETE
BEGIN;
UPDATE evercore_event SET sequence = sequence + 1 WHERE position = 1;
ROLLBACK;
BEGIN;
DELETE FROM evercore_event WHERE position = 1;
ROLLBACK;
SELECT count(*), max(sequence) FROM evercore_event;

-- positions only grow: what is appended after a rollback comes after all that was there before
BEGIN;
SELECT evercore_append(4, 0, 'Registered', '{}');
ROLLBACK;
SELECT evercore_append(4, 0, 'Registered', '{"name":"Cyd"}');
SELECT CASE WHEN max(position) > 5 THEN 'later' END, count(*) FROM evercore_log;
SELECT natural_key, event_type, data FROM evercore_follow(5);

-- nothing is in flight when all is committed
SELECT position, holder, since FROM evercore_in_flight;

-- all is well with the store
SELECT * FROM evercore_check();
