-- Snapshots: a stored state at a sequence, the engine's own or the application's under a version.

-- a counter with four events
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Counter', 'c', 'Counted', '{"n":1}'), ('Counter', 'c', 'Counted', '{"n":2,"by":"ann"}'),
  ('Counter', 'c', 'Counted', '{"n":3}'), ('Counter', 'c', 'Counted', '{"n":4}');
SELECT evercore_find('Counter', 'c'), evercore_sequence(1);

-- evercore_snapshot folds in the engine, stores the state, and gives its sequence
SELECT evercore_snapshot(1);
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- … again at the same sequence it is the same snapshot
SELECT evercore_snapshot(1);
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- from then on evercore_replay begins with it: the base row has its sequence and its state
SELECT evercore_append(1, 4, 'Counted', '{"n":5}');
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, recorded_at, event_id
  FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT sequence, event_type, data FROM evercore_replay(1);

-- it begins with the newest of them
SELECT evercore_snapshot(1);
SELECT sequence, event_type, data FROM evercore_replay(1);
SELECT evercore_append(1, 5, 'Counted', '{"n":6,"by":"bob"}');
SELECT sequence, event_type, data FROM evercore_replay(1, NULL);

-- states and history are what they would be without snapshots
SELECT evercore_state(1, 1) AS state;
SELECT evercore_state(1, 4) AS state;
SELECT evercore_state(1) AS state;
SELECT sequence, state FROM evercore_history(1);

-- evercore_save_snapshot stores a state that the application has folded, under the version of its code
SELECT evercore_save_snapshot(1, 3, '{"sum":6}', 1);
SELECT sequence, event_type, data FROM evercore_replay(1, 1);

-- … that very version begins with its newest
SELECT evercore_save_snapshot(1, 5, '{"sum":15}', 1);
SELECT evercore_save_snapshot(1, 4, '{"sum":10}', 1);
SELECT sequence, event_type, data FROM evercore_replay(1, 1);

-- … another version begins at the beginning, not with an engine snapshot
SELECT sequence, event_type, data FROM evercore_replay(1, 2) WHERE sequence <= 1;
SELECT count(*) FROM evercore_replay(1, 2);

-- … and the engine itself does not look at it
SELECT sequence, data AS state FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT evercore_state(1, 5) AS state;

-- … each version has its own, and any number is a version
SELECT evercore_save_snapshot(1, 6, '{"product":720}', 2);
SELECT evercore_save_snapshot(1, 1, '{"odd":true}', -3);
SELECT sequence, data AS state FROM evercore_replay(1, 2);
SELECT sequence, data AS state FROM evercore_replay(1, -3) WHERE event_type IS NULL;

-- … at the same sequence and version the later one takes the place of the earlier
SELECT evercore_save_snapshot(1, 5, '{"sum":15,"count":5}', 1);
SELECT sequence, data AS state FROM evercore_replay(1, 1) WHERE event_type IS NULL;

-- evercore_stats counts them all: two of the engine, five of the application
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- a snapshot is at a sequence that the aggregate has
SELECT evercore_save_snapshot(1, 7, '{}', 1);
SELECT evercore_save_snapshot(1, 0, '{}', 1);
SELECT evercore_save_snapshot(1, -1, '{}', 1);

-- … its state is held to the payload profile, and nothing is left to guess
SELECT evercore_save_snapshot(1, 6, '[6]', 1);
SELECT evercore_save_snapshot(1, 6, '{"a":1,"a":2}', 1);
SELECT evercore_save_snapshot(1, 6, NULL, 1);
SELECT evercore_save_snapshot(1, NULL, '{}', 1);
SELECT evercore_save_snapshot(1, 6, '{}', NULL);

-- … of an aggregate that exists
SELECT evercore_save_snapshot(99, 1, '{}', 1);
SELECT evercore_snapshot(99);
SELECT evercore_snapshot(evercore_find('Counter', 'nobody'));
SELECT evercore_save_snapshot(evercore_find('Counter', 'nobody'), 1, '{}', 1);

-- evercore_snapshot_policy(type, every, keep) makes appends store snapshots, and gives the type
SELECT evercore_snapshot_policy('Meter', 3, 2);
SELECT evercore_append(evercore_ensure('Meter', 'm'), 0, 'Read', '{"kwh":1}');
SELECT evercore_append(evercore_find('Meter', 'm'), 1, 'Read', '{"kwh":2}');
SELECT sequence, event_type FROM evercore_replay(evercore_find('Meter', 'm'));

-- … whenever they cross a multiple of every
SELECT evercore_append(evercore_find('Meter', 'm'), 2, 'Read', '{"kwh":3}');
SELECT sequence, event_type, data FROM evercore_replay(evercore_find('Meter', 'm'));

-- … in the same transaction
BEGIN;
SELECT CASE WHEN evercore_append_many('[{"aggregate_type":"Meter","natural_key":"m","events":[{"event_type":"Read","data":{"kwh":4}},
  {"event_type":"Read","data":{"kwh":5}},{"event_type":"Read","data":{"kwh":6}}]}]') IS NOT NULL THEN 'appended' END;
SELECT sequence FROM evercore_replay(evercore_find('Meter', 'm'));
ROLLBACK;
SELECT sequence FROM evercore_replay(evercore_find('Meter', 'm'));

-- … by the policy as it is by then: a transaction may change it between two appends
BEGIN;
SELECT evercore_append(evercore_find('Meter', 'm'), 3, 'Read', '{"kwh":4}');
SELECT evercore_snapshot_policy('Meter', 1, 2);
SELECT evercore_append(evercore_find('Meter', 'm'), 4, 'Read', '{"kwh":5}');
SELECT sequence FROM evercore_replay(evercore_find('Meter', 'm'));
SELECT evercore_snapshot_policy('Meter', 0, 1);
SELECT evercore_append(evercore_find('Meter', 'm'), 5, 'Read', '{"kwh":6}');
SELECT sequence FROM evercore_replay(evercore_find('Meter', 'm'));
ROLLBACK;

-- … one snapshot for an append object of evercore_append_many, at its new version
SELECT CASE WHEN evercore_append_many('[{"aggregate_type":"Meter","natural_key":"m","events":[{"event_type":"Read","data":{"kwh":4}},
  {"event_type":"Read","data":{"kwh":5}},{"event_type":"Read","data":{"kwh":6}},{"event_type":"Read","data":{"kwh":7}},
  {"event_type":"Read","data":{"kwh":8}},{"event_type":"Read","data":{"kwh":9}},{"event_type":"Read","data":{"kwh":10}}]}]') IS NOT NULL THEN 'appended' END;
SELECT sequence, event_type, data FROM evercore_replay(evercore_find('Meter', 'm'));
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- … one for each row of the INSERT form that crosses; all but the newest keep are dropped
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Meter', 'm', 'Read', '{"kwh":11}'), ('Meter', 'm', 'Read', '{"kwh":12}'), ('Meter', 'm', 'Read', '{"kwh":13}'),
  ('Meter', 'm', 'Read', '{"kwh":14}'), ('Meter', 'm', 'Read', '{"kwh":15}'), ('Meter', 'm', 'Read', '{"kwh":16}');
SELECT sequence, event_type, data FROM evercore_replay(evercore_find('Meter', 'm'));
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- … while application snapshots stay
SELECT evercore_save_snapshot(evercore_find('Meter', 'm'), 16, '{"mean":8.5}', 1);
SELECT CASE WHEN evercore_append_many('[{"aggregate_type":"Meter","natural_key":"m","expected":16,"events":[{"event_type":"Read","data":{"kwh":17}},
  {"event_type":"Read","data":{"kwh":18}},{"event_type":"Read","data":{"kwh":19}},{"event_type":"Read","data":{"kwh":20}}]}]') IS NOT NULL THEN 'appended' END;
SELECT value FROM evercore_stats() WHERE name = 'snapshots';
SELECT sequence, data AS state FROM evercore_replay(evercore_find('Meter', 'm'), 1) WHERE event_type IS NULL;

-- … of that type only, and every 0 turns it off
SELECT sequence FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT evercore_snapshot_policy('Meter', 0, 1);
SELECT evercore_append(evercore_find('Meter', 'm'), 20, 'Read', '{"kwh":21}');
SELECT sequence FROM evercore_replay(evercore_find('Meter', 'm')) WHERE event_type IS NULL;
SELECT evercore_state(evercore_find('Meter', 'm')) AS state;

-- a state is a payload like any other: it can be saved as it is, whatever its numbers
SELECT evercore_append(evercore_ensure('Meter', 'big'), 0, 'Read', '{"big":1e19,"huge":-2.5e300,"max":9223372036854775807,"whole":7.0}');
SELECT evercore_save_snapshot(evercore_find('Meter', 'big'), 1, evercore_state(evercore_find('Meter', 'big')), 1);
SELECT sequence, data AS state FROM evercore_replay(evercore_find('Meter', 'big'), 1);

-- where there is none, keep is 1, whatever was said
SELECT evercore_aggregate_type('Quiet', '{"schema":{"required":["kwh"]}}'), evercore_snapshot_policy('Quiet', 0, 7);
SELECT snapshot_every, snapshot_keep FROM evercore_aggregate_types WHERE aggregate_type = 'Quiet';

-- a policy needs a type, an every of 0 or more, and a keep of 1 or more
SELECT evercore_snapshot_policy(NULL, 3, 2);
SELECT evercore_snapshot_policy('Meter', -1, 2);
SELECT evercore_snapshot_policy('Meter', 3, 0);
SELECT evercore_snapshot_policy('Meter', NULL, 2);
SELECT evercore_snapshot_policy('Meter', 3, NULL);

-- an aggregate without events has an empty state to store
SELECT evercore_snapshot(evercore_ensure('Counter', 'empty'));
SELECT sequence, data AS state FROM evercore_replay(evercore_find('Counter', 'empty'));

-- all is well with the store
SELECT * FROM evercore_check();
