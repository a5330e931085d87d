-- Aggregates: an id, a type and, if the user has one, a natural key.
-- Ids are shown only before the first refused or rolled back call: an engine may skip some after one.

-- evercore_create gives the id of a new aggregate of a type
SELECT evercore_create('User');

-- … with a natural key, if the user has one
SELECT evercore_create('User', 'ann');

-- an optional argument that is NULL means what leaving it off means
SELECT evercore_create('User', NULL);

-- a natural key is unique within its type only: another type may use it too
SELECT evercore_create('Robot', 'ann');

-- evercore_ensure gives the id of a key, and creates the aggregate where it is missing
SELECT evercore_ensure('User', 'bob');
SELECT evercore_ensure('User', 'bob');
SELECT evercore_ensure('User', 'ann');

-- evercore_find gives the id of a key
SELECT evercore_find('User', 'ann'), evercore_find('Robot', 'ann'), evercore_find('User', 'bob');

-- … and NULL where there is none: no such key, no such type, no name at all
SELECT evercore_find('User', 'nobody');
SELECT evercore_find('Ghost', 'ann');
SELECT evercore_find(NULL, 'ann'), evercore_find('User', NULL);

-- keys are compared by code point: case, accents and blanks all count
SELECT evercore_find('User', 'Ann'), evercore_find('User', 'ann '), evercore_find('user', 'ann');

-- … and so does the spelling of a letter: ë as one code point and ë as e with a mark are two keys
SELECT evercore_create('User', 'Zoë');
SELECT evercore_create('User', 'Zoë');
SELECT evercore_find('User', 'Zoë'), evercore_find('User', 'Zoë'), evercore_find('User', 'Zoe');

-- the version of an aggregate is 0 before its first event, and then its last sequence
SELECT evercore_sequence(2);
SELECT evercore_append(2, 0, 'Registered', '{"name":"Ann"}', NULL, NULL, '2026-03-01T09:00:00Z');
SELECT evercore_append(2, 1, 'Renamed', '{"name":"Anna"}', NULL, NULL, '2026-03-02T09:30:00.25Z');
SELECT evercore_sequence(2), evercore_sequence(1);

-- evercore_aggregates has one row for each: type, key, version, times of the first and the last event
SELECT aggregate_id, aggregate_type, natural_key, sequence, first_event_time, last_event_time
  FROM evercore_aggregates WHERE aggregate_id <= 5 ORDER BY aggregate_id;

-- it is a relation like any other
SELECT aggregate_type, count(*), sum(sequence) FROM evercore_aggregates GROUP BY aggregate_type ORDER BY 1;

-- evercore_rekey gives an aggregate another natural key, and gives its id
SELECT evercore_rekey(2, 'anna');
SELECT evercore_find('User', 'ann'), evercore_find('User', 'anna');

-- … or its first one
SELECT evercore_rekey(1, 'ann');
SELECT evercore_find('User', 'ann');

-- … the key it has already will do
SELECT evercore_rekey(1, 'ann');

-- its events are read under the new key
SELECT natural_key, sequence, event_type FROM evercore_events(2);

-- natural keys sort by code point too, whatever the collation of the database
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Sorted', 'b', 'Made', '{}'), ('Sorted', 'B', 'Made', '{}'), ('Sorted', 'é', 'Made', '{}'), ('Sorted', 'a', 'Made', '{}'),
  ('Sorted', 'Z', 'Made', '{}'), ('Sorted', '_', 'Made', '{}'), ('Sorted', '10', 'Made', '{}'), ('Sorted', '9', 'Made', '{}');
SELECT natural_key FROM evercore_aggregates WHERE aggregate_type = 'Sorted' ORDER BY natural_key;

-- a key that is taken within the type is EV003, for create and for rekey
SELECT evercore_create('User', 'anna');
SELECT evercore_rekey(3, 'bob');
SELECT evercore_find('User', 'bob'), evercore_sequence(3);

-- a name or key that is missing is EV005
SELECT evercore_create(NULL);
SELECT evercore_ensure(NULL, 'ann');
SELECT evercore_ensure('User', NULL);
SELECT evercore_rekey(1, NULL);

-- an aggregate that does not exist is EV002
SELECT evercore_sequence(99);
SELECT evercore_rekey(99, 'cyd');

-- … and so is a NULL id: it comes from evercore_find
SELECT evercore_sequence(evercore_find('User', 'nobody'));
SELECT evercore_rekey(evercore_find('User', 'nobody'), 'cyd');

-- what a transaction creates goes with it, the first use of a type included
BEGIN;
SELECT CASE WHEN evercore_create('Ghost', 'casper') > 0 THEN 'created' END;
SELECT evercore_append(evercore_find('Ghost', 'casper'), 0, 'Seen', '{"at":"night"}');
ROLLBACK;
SELECT evercore_find('Ghost', 'casper');
SELECT count(*) FROM evercore_aggregates WHERE aggregate_type = 'Ghost';

-- … and can be created again afterwards
SELECT evercore_append(evercore_ensure('Ghost', 'casper'), 0, 'Seen', '{"at":"dawn"}');
SELECT aggregate_type, natural_key, sequence, event_type, data FROM evercore_events(evercore_find('Ghost', 'casper'));

-- all is well with the store
SELECT * FROM evercore_check();
