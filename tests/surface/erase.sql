-- Erasure, for the right to be forgotten: what was said goes, the places in the log stay.

-- two people, one of them with snapshots
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_time, event_id) VALUES
  ('Person', 'ann@example.org', 'Registered', '{"name":"Ann"}', 'web', '{"ip":"::1"}', '2026-01-01T00:00:00Z', 'r-ann'),
  ('Person', 'bob@example.org', 'Registered', '{"name":"Bob"}', 'web', NULL, '2026-01-02T00:00:00Z', NULL),
  ('Person', 'ann@example.org', 'Moved', '{"city":"Ulm"}', NULL, NULL, '2026-01-03T00:00:00Z', NULL),
  ('Person', 'bob@example.org', 'Moved', '{"city":"Bonn"}', NULL, NULL, '2026-01-04T00:00:00Z', NULL);
SELECT evercore_snapshot(1), evercore_snapshot(2), evercore_save_snapshot(1, 1, '{"name":"Ann"}', 1);
SELECT name, value FROM evercore_stats() WHERE name IN ('aggregates', 'events', 'snapshots', 'head_position', 'data_bytes');

-- an erasure that is rolled back has not happened
BEGIN;
SELECT evercore_erase(1);
SELECT evercore_state(1) AS state;
ROLLBACK;
SELECT evercore_state(evercore_find('Person', 'ann@example.org')) AS state;

-- evercore_erase removes data, metadata, reference, snapshots and natural key, and gives the number of events erased
SELECT evercore_erase(1);

-- sequences and positions stay as tombstones that read as {}, with their types, times and ids
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, event_id
  FROM evercore_log ORDER BY position;
SELECT position, natural_key, data FROM evercore_follow(0, 1);
SELECT sequence, data, metadata, reference FROM evercore_events(1);

-- nothing can be folded from it any more
SELECT evercore_state(1) AS state;
SELECT evercore_state(1, 1) AS state;
SELECT sequence, data, state FROM evercore_history(1);
SELECT sequence, event_type, data FROM evercore_replay(1);
SELECT sequence, event_type, data FROM evercore_replay(1, 1);

-- the aggregate stays in the list, at its version, without its key
SELECT aggregate_id, aggregate_type, natural_key, sequence, first_event_time, last_event_time FROM evercore_aggregates ORDER BY aggregate_id;
SELECT evercore_sequence(1);
SELECT name, value FROM evercore_stats() WHERE name IN ('aggregates', 'events', 'snapshots', 'head_position');

-- others are untouched
SELECT evercore_state(2) AS state;

-- it is closed: EV002 for all that would write to it
SELECT evercore_append(1, 2, 'Moved', '{}');
SELECT evercore_append(1, NULL, 'Moved', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Moved', '{}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Moved","data":{}}]}]') AS appends;
SELECT evercore_rekey(1, 'ann@example.org');
SELECT evercore_snapshot(1);
SELECT evercore_save_snapshot(1, 2, '{}', 1);

-- erasing it again erases nothing
SELECT evercore_erase(1);

-- the key is free: who comes by it is somebody else
SELECT evercore_find('Person', 'ann@example.org');
INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data) VALUES ('Person', 'ann@example.org', 0, 'Registered', '{"name":"Ann II"}');
SELECT CASE WHEN evercore_find('Person', 'ann@example.org') > 2 THEN 'another' END;
SELECT evercore_state(evercore_find('Person', 'ann@example.org')) AS state;

-- a compacted aggregate can be erased too: what is kept of it becomes tombstones, its base forgets
SELECT evercore_compact(2, 1);
SELECT evercore_erase(2);
SELECT sequence, data, state FROM evercore_history(2);
SELECT evercore_state(2) AS state;
SELECT evercore_sequence(2);

-- … and the tombstones of an erased one can be compacted away
SELECT evercore_compact(1, 1);
SELECT sequence, data, state FROM evercore_history(1);
SELECT evercore_state(1) AS state;
SELECT evercore_sequence(1);

-- an aggregate without events loses its key and is closed
SELECT evercore_erase(evercore_ensure('Person', 'cyd@example.org'));
SELECT evercore_find('Person', 'cyd@example.org');

-- custom events of an erased aggregate need no cover: nothing of them is left to lose
SELECT evercore_event_type('Scored', 'custom');
SELECT evercore_append(evercore_ensure('Person', 'dee@example.org'), 0, 'Scored', '{"points":3}');
SELECT evercore_compact(evercore_find('Person', 'dee@example.org'), 0);
SELECT evercore_erase(evercore_find('Person', 'dee@example.org'));
SELECT evercore_compact(5, 0);

-- unknown aggregates are EV002
SELECT evercore_erase(99);
SELECT evercore_erase(evercore_find('Person', 'nobody'));

-- within the transaction that erased it, too, an aggregate takes no more events
BEGIN;
SELECT evercore_append(evercore_ensure('Person', 'eve@example.org'), 0, 'Named', '{"name":"Eve"}');
SELECT evercore_append(evercore_find('Person', 'eve@example.org'), 1, 'Named', '{"name":"Eva"}');
SELECT evercore_erase(6);
SELECT evercore_append(6, NULL, 'Named', '{"name":"Evi"}');
ROLLBACK;

-- of several targets of one call the first at fault is named, whatever its fault
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Named","data":{}}]},{"aggregate_id":99,"events":[{"event_type":"Named","data":{}}]},{"aggregate_type":"Person","natural_key":"fay","events":[{"event_type":"Named","data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_type":"Person","natural_key":"fay","events":[{"event_type":"Named","data":{}}]},{"aggregate_id":99,"events":[{"event_type":"Named","data":{}}]},{"aggregate_id":1,"events":[{"event_type":"Named","data":{}}]}]');
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data) VALUES
  (NULL, 'Person', 'fay', 'Named', '{}'), (1, NULL, NULL, 'Named', '{}'), (99, NULL, NULL, 'Named', '{}');

-- all is well with the store
SELECT * FROM evercore_check();
