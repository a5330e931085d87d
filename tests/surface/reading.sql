-- How far to read, and reading a part: evercore_head, bounds and filters of evercore_follow and evercore_events.

-- evercore_head() is 0 in an empty store
SELECT evercore_head();

-- the events of this script
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('User', 'ann', 'Registered', '{}'), ('User', 'bob', 'Registered', '{}'), ('Order', '1', 'Placed', '{}'), ('User', 'ann', 'Renamed', '{}'),
  ('Order', '1', 'Shipped', '{}'), ('User', 'ann', 'Renamed', '{"name":"A"}'), ('User', 'bob', 'Left', '{}'), ('Order', '2', 'Placed', '{}');

-- … then it is the newest position, until something commits; what the transaction itself appends is not yet in it
SELECT evercore_head();
BEGIN;
SELECT evercore_append(1, 3, 'Left', '{}');
SELECT evercore_head();
ROLLBACK;
SELECT evercore_head() >= 8 AS active;

-- a follower stops at an upper bound
SELECT position FROM evercore_follow(2, NULL, NULL, 5);
SELECT position FROM evercore_follow(2, 2, NULL, 5);
SELECT position FROM evercore_follow(6, NULL, NULL, 1000);
SELECT position FROM evercore_follow(5, NULL, NULL, 5);
SELECT position FROM evercore_follow(NULL, NULL, NULL, -1);

-- … and takes the filter of a subscription
SELECT position, aggregate_type, natural_key, event_type FROM evercore_follow(0, NULL, '{"event_types":["Renamed","Placed"]}');
SELECT position FROM evercore_follow(3, 1, '{"event_types":["Renamed","Placed"]}', 8);
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"Order"}', 7);
SELECT position FROM evercore_follow(1, NULL, '{"aggregate_type":"User","natural_key":"ann"}');
SELECT position FROM evercore_follow(1, NULL, '{"aggregate_type":"User","natural_key":"ann"}', 5);
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"User","event_types":["Registered","Placed"]}');
SELECT position FROM evercore_follow(6, NULL, '{}');
SELECT position FROM evercore_follow(0, NULL, '{"event_types":["Unheard"]}');
SELECT position FROM evercore_follow(0, NULL, '{"event_types":["Unheard","Left","Left"]}');
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"Unheard"}');
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"User","natural_key":"cyd"}');
SELECT position FROM evercore_follow(0, 0, '{"event_types":["Left"]}');

-- … whose faults are named as evercore_subscribe names them
SELECT position FROM evercore_follow(0, NULL, '{');
SELECT position FROM evercore_follow(0, NULL, '{"kinds":[]}');
SELECT position FROM evercore_follow(0, NULL, '{"natural_key":"ann"}');
SELECT position FROM evercore_follow(0, NULL, '{"event_types":[""]}');
SELECT position FROM evercore_follow(0, -1, '{"event_types":["Left"]}');
SELECT position FROM evercore_follow(1000000, NULL, '{"event_types":["Left"]}');
SELECT position FROM evercore_follow(1000000, NULL, NULL, 5);


-- evercore_events stops at a sequence
SELECT sequence FROM evercore_events(1, 0, NULL, 2);
SELECT sequence FROM evercore_events(1, 1, 1, 3);
SELECT sequence FROM evercore_events(1, 2, NULL, 2);
SELECT sequence FROM evercore_events(1, NULL, NULL, 100);
SELECT sequence FROM evercore_events(1, NULL, NULL, -1);

-- … and gives the last so many with a negative limit, the newest first
SELECT sequence, event_type, data FROM evercore_events(1, NULL, -2);
SELECT sequence FROM evercore_events(1, NULL, -1);
SELECT sequence FROM evercore_events(1, 1, -100);
SELECT sequence FROM evercore_events(1, NULL, -2, 2);
SELECT sequence FROM evercore_events(1, 1, -2, 2);
SELECT sequence FROM evercore_events(1, NULL, -9223372036854775808);
SELECT sequence FROM evercore_events(1, NULL, -2) ORDER BY sequence;
SELECT sequence FROM evercore_events(1, NULL, -2) ORDER BY sequence DESC;
SELECT sequence FROM evercore_events(1, NULL, 2) ORDER BY sequence DESC;
SELECT sequence FROM evercore_events(99, NULL, -2);

-- also of what compaction kept
SELECT evercore_compact(1, 2);
SELECT sequence FROM evercore_events(1, NULL, -5);
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"User","natural_key":"ann"}');

-- the log by an upper bound on position
SELECT position FROM evercore_log WHERE position <= 5 ORDER BY position DESC LIMIT 2;
SELECT position FROM evercore_log WHERE position BETWEEN 3 AND 4 ORDER BY position;
SELECT * FROM evercore_check();
