-- Compaction: dropping superseded snapshots, and old events that a base snapshot stands for.

-- a cart with five events, snapshots of the engine at 2 and 4, of version 1 at 2 and 3, of version 2 at 1
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('Cart', 'a', 'Added', '{"apples":1}', '2026-01-01T00:00:00Z'), ('Cart', 'a', 'Added', '{"pears":2}', '2026-01-02T00:00:00Z');
SELECT evercore_snapshot(1);
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('Cart', 'a', 'Added', '{"apples":3}', '2026-01-03T00:00:00Z'), ('Cart', 'a', 'Removed', '{"pears":0}', '2026-01-04T00:00:00Z');
SELECT evercore_snapshot(1);
SELECT evercore_append(1, 4, 'Paid', '{"paid":true}', NULL, NULL, '2026-01-05T00:00:00Z');
SELECT evercore_save_snapshot(1, 2, '{"fruit":3}', 1), evercore_save_snapshot(1, 3, '{"fruit":5}', 1), evercore_save_snapshot(1, 1, '{"v":2}', 2);
SELECT name, value FROM evercore_stats() WHERE name IN ('events', 'snapshots');

-- evercore_compact(id) drops superseded snapshots, never the newest of any version, and no events
SELECT evercore_compact(1);
SELECT name, value FROM evercore_stats() WHERE name IN ('events', 'snapshots');
SELECT sequence, data AS state FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT sequence, data AS state FROM evercore_replay(1, 1) WHERE event_type IS NULL;
SELECT sequence, data AS state FROM evercore_replay(1, 2) WHERE event_type IS NULL;

-- … states at any sequence are as before
SELECT evercore_state(1, 2) AS state;

-- … and so does a keep_events that is NULL
SELECT evercore_compact(1, NULL);

-- keeping more events than there are removes none
SELECT evercore_compact(1, 5);
SELECT evercore_compact(1, 100);

-- with keep_events it removes all events but the newest, and gives their number
SELECT evercore_compact(1, 2);
SELECT sequence, event_type, data, event_time FROM evercore_events(1);
SELECT count(*), min(sequence) FROM evercore_log;

-- … version and state are as before
SELECT evercore_sequence(1);
SELECT evercore_state(1) AS state;
SELECT evercore_state(1, 4) AS state;

-- … the history of what is kept, too
SELECT sequence, event_type, state FROM evercore_history(1);

-- … and evercore_replay: from the newest engine snapshot, from that of a version, from the base for a version without one
SELECT sequence, event_type, data FROM evercore_replay(1);
SELECT sequence, event_type, data FROM evercore_replay(1, 1);
SELECT sequence, event_type, data FROM evercore_replay(1, 9);

-- … the aggregate is still known as old as it is
SELECT natural_key, sequence, first_event_time, last_event_time FROM evercore_aggregates;

-- … and evercore_check() has nothing to say
SELECT * FROM evercore_check();

-- the state at the base can be read, below it is EV002
SELECT evercore_state(1, 3) AS state;
SELECT evercore_state(1, 2) AS state;
SELECT evercore_state(1, 0) AS state;
SELECT evercore_save_snapshot(1, 2, '{"fruit":3}', 1);

-- the base stays, whatever drops superseded snapshots: compaction again, or a policy
SELECT evercore_compact(1);
SELECT evercore_snapshot_policy('Cart', 1, 1);
SELECT evercore_append(1, 5, 'Sent', '{"sent":true}');
SELECT evercore_snapshot_policy('Cart', 0, 1);
SELECT sequence FROM evercore_replay(1);
SELECT sequence, state FROM evercore_history(1);
SELECT evercore_state(1, 3) AS state;

-- compacting further moves the base; asking to keep more than is kept moves nothing
SELECT evercore_compact(1, 4);
SELECT evercore_compact(1, 1);
SELECT sequence, state FROM evercore_history(1);
SELECT evercore_state(1, 4) AS state;

-- an aggregate can be compacted to nothing, and goes on: sequences without holes, positions above all before
SELECT CASE WHEN max(position) = 6 THEN 'six' END FROM evercore_log;
SELECT evercore_compact(1, 0);
SELECT count(*) FROM evercore_log;
SELECT evercore_sequence(1);
SELECT evercore_append(1, 6, 'Received', '{"sent":null,"received":true}');
SELECT CASE WHEN position > 6 THEN 'above' END, sequence FROM evercore_log;
SELECT evercore_state(1) AS state;
SELECT * FROM evercore_check();

-- a compaction that is rolled back has not happened
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Cart', 'b', 'Added', '{"figs":1}'), ('Cart', 'b', 'Added', '{"figs":2}'), ('Cart', 'b', 'Added', '{"figs":3}');
BEGIN;
SELECT evercore_compact(evercore_find('Cart', 'b'), 1);
ROLLBACK;
SELECT sequence, state FROM evercore_history(evercore_find('Cart', 'b'));

-- custom events go only under an application snapshot at the base or above: without one it is EV010
SELECT evercore_event_type('Weighed', 'custom');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Scale', 's', 'Labelled', '{"label":"S"}'), ('Scale', 's', 'Weighed', '{"g":10}'), ('Scale', 's', 'Weighed', '{"g":20}'),
  ('Scale', 's', 'Labelled', '{"label":"T"}'), ('Scale', 's', 'Weighed', '{"g":30}');
SELECT evercore_find('Scale', 's');
SELECT evercore_compact(3, 1);
SELECT evercore_save_snapshot(3, 3, '{"total":30}', 1);
SELECT evercore_compact(3, 1);
SELECT count(*) FROM evercore_events(3);

-- … events up to the first custom one may go
SELECT evercore_compact(3, 4);
SELECT sequence, event_type, data FROM evercore_replay(3, 7) WHERE sequence <= 2;

-- … and with a snapshot that covers them, all
SELECT evercore_save_snapshot(3, 4, '{"total":30,"label":"T"}', 1);
SELECT evercore_compact(3, 1);
SELECT sequence, event_type, data FROM evercore_replay(3, 1);
SELECT evercore_state(3) AS state;
SELECT sequence, event_type, data FROM evercore_replay(3);

-- … another version of the application's code cannot be served any more
SELECT * FROM evercore_replay(3, 2);

-- evercore_compact_type compacts at most max aggregates of a type, longest first, until it gives 0
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Line', 'two', 'Drawn', '{"n":1}'), ('Line', 'two', 'Drawn', '{"n":2}'),
  ('Line', 'four', 'Drawn', '{"n":1}'), ('Line', 'four', 'Drawn', '{"n":2}'), ('Line', 'four', 'Drawn', '{"n":3}'), ('Line', 'four', 'Drawn', '{"n":4}'),
  ('Line', 'three', 'Drawn', '{"n":1}'), ('Line', 'three', 'Drawn', '{"n":2}'), ('Line', 'three', 'Drawn', '{"n":3}'),
  ('Line', 'one', 'Drawn', '{"n":1}'),
  ('Line', 'odd', 'Weighed', '{"g":1}'), ('Line', 'odd', 'Weighed', '{"g":2}'), ('Line', 'odd', 'Weighed', '{"g":3}');
SELECT evercore_compact_type('Line', 1, 1);
SELECT natural_key, count(*) FROM evercore_log WHERE aggregate_type = 'Line' GROUP BY natural_key ORDER BY natural_key;

-- … passing over those that EV010 protects
SELECT evercore_compact_type('Line', 1, 10);
SELECT natural_key, count(*) FROM evercore_log WHERE aggregate_type = 'Line' GROUP BY natural_key ORDER BY natural_key;
SELECT evercore_compact_type('Line', 1, 10);
SELECT evercore_state(evercore_find('Line', 'four')) AS state;

-- … of that type only, and all of them where max is left off or NULL
SELECT count(*) FROM evercore_events(evercore_find('Cart', 'b'));
SELECT evercore_compact_type('Line', 0);
SELECT evercore_compact_type('Line', 0, NULL);
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Line';

-- … without keep_events it drops superseded snapshots
SELECT evercore_snapshot(evercore_find('Cart', 'b'));
SELECT evercore_append(evercore_find('Cart', 'b'), 3, 'Added', '{"figs":4}');
SELECT evercore_snapshot(evercore_find('Cart', 'b'));
SELECT evercore_compact_type('Cart');
SELECT evercore_compact_type('Cart', NULL, NULL);
SELECT count(*) FROM evercore_events(evercore_find('Cart', 'b'));

-- … and so it does with keep_events where there are no more events than that
SELECT evercore_append(evercore_find('Cart', 'b'), 4, 'Added', '{"figs":5}');
SELECT evercore_snapshot(evercore_find('Cart', 'b'));
SELECT evercore_compact_type('Cart', 10);
SELECT evercore_compact_type('Cart', 10);

-- custom events that were compacted before need a snapshot that covers what goes now as much
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Scale', 'u', 'Weighed', '{"g":5}'), ('Scale', 'u', 'Labelled', '{"label":"U"}'), ('Scale', 'u', 'Labelled', '{"label":"V"}');
SELECT evercore_save_snapshot(evercore_find('Scale', 'u'), 1, '{"total":5}', 1);
SELECT evercore_compact(evercore_find('Scale', 'u'), 2);
SELECT evercore_compact(evercore_find('Scale', 'u'), 1);
SELECT evercore_save_snapshot(evercore_find('Scale', 'u'), 2, '{"total":5,"label":"U"}', 1);
SELECT evercore_compact(evercore_find('Scale', 'u'), 1);
SELECT sequence, event_type, data FROM evercore_replay(evercore_find('Scale', 'u'), 1);

-- unknown aggregates and types are EV002, negative numbers EV009, a missing name EV005
SELECT evercore_compact(99);
SELECT evercore_compact(evercore_find('Cart', 'nobody'), 1);
SELECT evercore_compact(1, -1);
SELECT evercore_compact(99, -1);
SELECT evercore_compact(NULL, -1);
SELECT evercore_compact_type('Curve', 1);
SELECT evercore_compact_type(NULL, 1);
SELECT evercore_compact_type('Line', -1);
SELECT evercore_compact_type('Line', 1, -1);
SELECT evercore_compact_type('Line', 1, 0);

-- all is well with the store
SELECT * FROM evercore_check();
