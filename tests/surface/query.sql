-- Queries and conditions: a rule that spans aggregates, kept by an append that depends on what was read.

-- two courses and three students; a student's subscription bears both tags
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES
  ('Course', 'c1', 'CourseOpened', '{"seats":2}', '["course:c1"]'),
  ('Course', 'c2', 'CourseOpened', '{"seats":1}', '["course:c2"]'),
  ('Student', 's1', 'StudentSubscribed', '{}', '["course:c1","student:s1"]'),
  ('Student', 's2', 'StudentSubscribed', '{}', '["course:c1","student:s2"]'),
  ('Student', 's1', 'StudentLeft', '{}', '["course:c1","student:s1"]'),
  ('Student', 's3', 'Greeted', '{}', NULL);

-- evercore_query gives the events that match, in order: by a tag, …
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, tags FROM evercore_query('[{"tags":["course:c1"]}]');

-- … by several, all of which an event must bear, …
SELECT position FROM evercore_query('[{"tags":["course:c1","student:s1"]}]');
SELECT position FROM evercore_query('[{"tags":["student:s1","course:c2"]}]');
SELECT position FROM evercore_query('[{"tags":["nobody"]}]');

-- … by types, one of which it must be of, …
SELECT position FROM evercore_query('[{"types":["StudentSubscribed","Greeted"]}]');
SELECT position FROM evercore_query('[{"types":["Nothing"]}]');

-- … by both, …
SELECT position FROM evercore_query('[{"types":["StudentSubscribed"],"tags":["course:c1"]}]');
SELECT position FROM evercore_query('[{"types":["StudentSubscribed","CourseOpened"],"tags":["course:c1"]}]');

-- … and each event once, though several items match it
SELECT position FROM evercore_query('[{"tags":["student:s1"]},{"types":["StudentSubscribed"]},{"types":["StudentSubscribed"],"tags":["course:c1"]},{"tags":["course:c2"]}]');

-- [] is every event
SELECT position FROM evercore_query('[]');

-- it begins after a position, and gives so many at most
SELECT position FROM evercore_query('[{"tags":["course:c1"]}]', 1);
SELECT position FROM evercore_query('[{"tags":["course:c1"]}]', 1, 2);
SELECT position FROM evercore_query('[{"tags":["course:c1"]}]', NULL, 1);
SELECT position FROM evercore_query('[]', 4, NULL);
SELECT count(*) FROM evercore_query('[]', 0, 0);
SELECT position FROM evercore_query('[]', 99);
SELECT position FROM evercore_query('[{"types":["Greeted"]}]', -1);
SELECT count(*) FROM evercore_query('[]', -1);

-- a tag or a type twice is one
SELECT position FROM evercore_query('[{"tags":["course:c2","course:c2"],"types":["CourseOpened","CourseOpened"]}]');
SELECT position FROM evercore_query('[{"tags":["course:c1"],"types":["StudentSubscribed","StudentSubscribed"]}]', NULL, 2);

-- one statement reads all that a decision needs
SELECT count(*), coalesce(max(position), 0) FROM evercore_query('[{"types":["StudentSubscribed"],"tags":["course:c1"]}]');

-- a query that is none says where
SELECT position FROM evercore_query(NULL);
SELECT position FROM evercore_query('[');
SELECT position FROM evercore_query('{}');
SELECT position FROM evercore_query('["a"]');
SELECT position FROM evercore_query('[{}]');
SELECT position FROM evercore_query('[{"tags":["a"]},{"tags":[]}]');
SELECT position FROM evercore_query('[{"types":[]}]');
SELECT position FROM evercore_query('[{"types":"A"}]');
SELECT position FROM evercore_query('[{"types":null}]');
SELECT position FROM evercore_query('[{"types":["A",7]}]');
SELECT position FROM evercore_query('[{"tags":["a",null]}]');
SELECT position FROM evercore_query('[{"tags":["a"],"col/our~":1}]');
SELECT position FROM evercore_query('[{"tags":["a"],"after":1}]');
SELECT position FROM evercore_query('[{"tags":["a"],"tags":["b"]}]');
SELECT position FROM evercore_query('[{"tags":["a\u0000"]}]');
SELECT position FROM evercore_query('[{"tags":[""]}]');
SELECT position FROM evercore_query('[{"types":[""]}]');
SELECT position FROM evercore_query('[{"tags":["' || replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef') || '"]}]');
SELECT position FROM evercore_query('[' || replace('xxxxxxxxxx', 'x', '{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},{"tags":["a"]},') || '{"tags":["a"]}]');
SELECT position FROM evercore_query('[{"types":[' || replace('xxxxxxxxxx', 'x', '"A","A","A","A","A","A","A","A","A","A",') || '"A"]}]');

-- a condition: the append goes through where nothing that matches stands above the position that was read
SELECT evercore_append_many('[{"aggregate_type":"Student","natural_key":"s3","events":[{"event_type":"StudentSubscribed","data":{},"tags":["course:c2","student:s3"]}]}]',
  '[{"tags":["course:c2"]}]', 2) AS appends;

-- … and else nothing is written: the first event that matches is named
SELECT evercore_append_many('[{"aggregate_type":"Student","natural_key":"s4","events":[{"event_type":"StudentSubscribed","data":{},"tags":["course:c2","student:s4"]}]}]',
  '[{"tags":["course:c2"]}]', 2) AS appends;
SELECT evercore_find('Student', 's4');
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"]}]', NULL) AS appends;
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"],"types":["StudentLeft"]}]', 4) AS appends;

-- events of the call itself do not match, since they come after the look
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Renamed","data":{},"tags":["student:s1"]},{"event_type":"Renamed","data":{},"tags":["student:s1"]}]}]',
  '[{"types":["Renamed"],"tags":["student:s1"]}]') AS appends;

-- each item may bear a position of its own; the argument is for those that bear none
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"],"after":5},{"tags":["course:c2"],"after":7}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"],"after":5},{"tags":["course:c2"]}]', 6) AS appends;
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c1"],"after":0},{"tags":["course:c2"]}]', 7) AS appends;

-- an empty array looks at the condition alone
SELECT evercore_append_many('[]', '[{"tags":["course:c2"]}]', 7) AS appends;
SELECT evercore_append_many('[]', '[{"tags":["course:c2"]}]', 6) AS appends;

-- an expected version and a condition may stand in one call; the version is looked at first
SELECT evercore_append_many('[{"aggregate_id":3,"expected":1,"events":[{"event_type":"Greeted","data":{}}]}]', '[{"tags":["course:c2"]}]', 0) AS appends;

-- a call whose events are all repeats answers as the first time, whatever its condition
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"CourseNamed","data":{},"tags":["course:c1"],"event_id":"n-1"}]}]', '[{"types":["CourseNamed"],"tags":["course:c1"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"CourseNamed","data":{},"tags":["course:c1"],"event_id":"n-1"}]}]', '[{"types":["CourseNamed"],"tags":["course:c1"]}]') AS appends;

-- a condition that is none says where, after the events have been looked at
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"","data":{}}]}]', '{}') AS appends;
SELECT evercore_append_many('[]', '{}') AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":"x"}]') AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":-1}]') AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"]}]', -1) AS appends;
SELECT evercore_append_many('[]', '[{"after":1}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":99,"events":[{"event_type":"E","data":{}}]}]', '[{"tags":["course:c1"]}]', 0) AS appends;

-- … and after the aggregates that they name
SELECT evercore_append_many('[{"aggregate_type":"","natural_key":"k","events":[{"event_type":"E","data":{}}]}]', '{}') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"User","natural_key":"","events":[{"event_type":"E","data":{}}]}]', '[{"tags":["a"]}]', -1) AS appends;

-- … its shape before its positions, and the argument last
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":99},{"tags":[]}]', -1) AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"]},{"tags":["a"],"after":99},{"tags":["b"],"after":98}]', -1) AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":99}]', 99) AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":0}]', 99) AS appends;
SELECT evercore_append_many('[]', '[{"tags":["a"],"after":0}]', -1) AS appends;

-- what is no array of appends is named before, whatever its shape
SELECT evercore_append_many('"x"', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[1]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[[]]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[{"aggregate_id":1,"events":5}]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[{"aggregate_id":1,"events":[5]}]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[{"aggregate_id":1,"events":["x"]}]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[{"aggregate_id":1,"events":[["tags"]]}]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"tags":"t"}]}]', '[{"types":["Enrolled"],"tags":["course:c1"]}]', 0);

-- a condition that has an item without tags needs the index by type
SELECT evercore_append_many('[]', '[{"types":["Greeted"]}]', 0) AS appends;
SELECT evercore_append_many('[]', '[]', 0) AS appends;
SELECT evercore_index_types();
SELECT evercore_append_many('[]', '[{"types":["Nothing"]}]', 0) AS appends;
SELECT evercore_append_many('[]', '[{"types":["Greeted"]}]', 0) AS appends;
SELECT evercore_append_many('[]', '[]', 0) AS appends;
BEGIN;
SELECT evercore_append_many('[]', '[]', (SELECT max(position) FROM evercore_query('[]'))) AS appends;
COMMIT;
SELECT position FROM evercore_query('[{"types":["Greeted"]}]', 0, 1);
SELECT evercore_index_types(1);

-- compaction is remembered by type: who asks from below by type alone is refused
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Account', 'a', 'Opened', '{"n":1}'), ('Account', 'a', 'Opened', '{"n":2}'), ('Account', 'a', 'Named', '{"n":3}');
SELECT max(position) - (SELECT max(position) FROM evercore_query('[{"types":["Opened"]}]')) FROM evercore_log;
SELECT evercore_compact(evercore_find('Account', 'a'), 1);
SELECT count(*) FROM evercore_query('[{"types":["Opened"]}]', 0);
SELECT count(*) FROM evercore_query('[{"types":["Opened","Greeted"]}]', 3);
SELECT evercore_append_many('[]', '[{"types":["Opened"]}]', 0) AS appends;
SELECT evercore_append_many('[]', '[]', 0) AS appends;
SELECT count(*) FROM evercore_query('[{"types":["Opened"]}]', (SELECT max(position) - 1 FROM evercore_log));
SELECT count(*) FROM evercore_query('[{"types":["Greeted"]}]', 0);
SELECT count(*) FROM evercore_query('[{"types":["Opened"],"tags":["x"]}]', 0);

-- an erasure frees the tags of its events: a full course has a place again
SELECT evercore_erase(evercore_find('Student', 's3'));
SELECT position FROM evercore_query('[{"tags":["course:c2"]}]');
SELECT event_type, data FROM evercore_query('[{"types":["StudentSubscribed"]}]');

-- renamed types are asked for by their new name
SELECT evercore_rename_type('event', 'StudentSubscribed', 'Enrolled');
SELECT position FROM evercore_query('[{"types":["Enrolled"],"tags":["course:c1"]}]');
SELECT position FROM evercore_query('[{"types":["StudentSubscribed"],"tags":["course:c1"]}]');

-- without its index a condition by type is refused again
SELECT evercore_index_types(0);
SELECT evercore_append_many('[]', '[{"types":["Greeted"]}]', 0) AS appends;
SELECT evercore_index_types(2);
SELECT aggregate_id, position, problem FROM evercore_check();

-- a rollback to a savepoint between a query and the append: what was read and is gone is no match
BEGIN;
SELECT evercore_append(evercore_ensure('Seat', '7'), 0, 'Looked', '{}');
SAVEPOINT s;
SELECT evercore_append(evercore_find('Seat', '7'), 1, 'Taken', '{}', NULL, NULL, NULL, NULL, '["seat:7"]');
SELECT count(*) FROM evercore_query('[{"tags":["seat:7"]}]');
ROLLBACK TO s;
SELECT count(*) FROM evercore_query('[{"tags":["seat:7"]}]');
SELECT count(evercore_append_many('[{"aggregate_type":"Seat","natural_key":"7","expected":1,"events":[{"event_type":"Taken","data":{},"tags":["seat:7"]}]}]', '[{"tags":["seat:7"]}]', 0));
SELECT count(*) FROM evercore_query('[{"tags":["seat:7"]}]');
COMMIT;
SELECT sequence, event_type, tags FROM evercore_query('[{"tags":["seat:7"]}]');
