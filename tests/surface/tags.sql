-- Tags: what an event is about besides its aggregate.

-- the INSERT form takes them as a JSON array of texts in its last column
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES
  ('Course', 'c1', 'CourseOpened', '{"seats":30}', '["course:c1"]'),
  ('Student', 's1', 'StudentSubscribed', '{"course_id":"c1"}', '["student:s1","course:c1"]'),
  ('Student', 's1', 'Greeted', '{}', NULL);

-- they are the last column of the log, in the order given; NULL where there are none
SELECT position, event_type, tags FROM evercore_log ORDER BY position;
SELECT position, event_id, tags FROM evercore_follow(0);
SELECT sequence, tags FROM evercore_events(2);
SELECT sequence, tags FROM evercore_replay(2) WHERE event_type IS NOT NULL;
SELECT sequence, tags FROM evercore_replay(2) WHERE event_type IS NULL;
SELECT evercore_subscribe('all'), evercore_claim('all', 'w', 30);
SELECT position, tags FROM evercore_fetch('all', 1);

-- evercore_append takes them as its last argument
SELECT evercore_append(1, 1, 'CourseRenamed', '{"name":"SQL"}', NULL, NULL, NULL, NULL, '["course:c1"]');
SELECT evercore_append(1, 2, 'CourseRenamed', '{"name":"SQL 2"}', 'by ann', '{"m":1}', '2026-01-01', 'r-2', '["course:c1","by:ann"]');
SELECT sequence, event_type, reference, metadata, event_time, event_id, tags FROM evercore_events(1, 1);

-- evercore_append_many takes them as a member of the event, an array or a string that holds one
SELECT evercore_append_many('[{"aggregate_id":2,"events":[
  {"event_type":"StudentSubscribed","data":{"course_id":"c2"},"tags":["student:s1","course:c2"]},
  {"event_type":"Greeted","data":{}},
  {"event_type":"Greeted","data":{},"tags":null},
  {"event_type":"StudentSubscribed","data":{"course_id":"c3"},"tags":"[\"student:s1\",\"course:c3\"]"},
  {"event_type":"Greeted","data":{},"tags":[],"event_id":"g-1"}]}]') AS appends;
SELECT sequence, event_type, tags FROM evercore_events(2, 2);

-- [] and NULL are none
SELECT evercore_append(2, 7, 'Greeted', '{}', NULL, NULL, NULL, NULL, '[]'), evercore_append(2, 8, 'Greeted', '{}', NULL, NULL, NULL, NULL, NULL);
INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (2, 'Greeted', '{}', ' [ ] ');
SELECT sequence, tags FROM evercore_events(2, 7);

-- an argument out of range is said before the aggregate is looked for
SELECT evercore_append(1000000, -1, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a"]');
SELECT evercore_append(2, -1, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a"]');
SELECT evercore_append_many('[{"aggregate_id":1000000,"expected":-1,"events":[{"event_type":"Greeted","data":{},"tags":["a"]}]}]', '[{"tags":["a"]}]', 0);

-- a tag given twice is one, and blanks between them and escapes in them are read
SELECT evercore_append(2, 10, 'Greeted', '{}', NULL, NULL, NULL, NULL, ' [ "b" , "a", "b", "\u0061", "caf\u00e9", "q\"\\\/" ] ');
SELECT tags FROM evercore_events(2, 10);

-- a tag is 1 to 255 characters, compared by code point
SELECT evercore_append(2, 11, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a","A","a ","ä"]');
SELECT tags FROM evercore_events(2, 11);
SELECT evercore_append(2, 12, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 255) || '"]');
SELECT evercore_append(2, 13, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["' || replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef') || '"]');
SELECT evercore_append(2, 13, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a",""]');
INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (2, 'Greeted', '{}', '[""]');
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Greeted","data":{},"tags":[""]}]}]') AS appends;

-- at most 64 of them, each counted once
SELECT evercore_append(2, 13, 'Greeted', '{}', NULL, NULL, NULL, NULL, '[' || replace('xxxxxxx', 'x', '"a1","a2","a3","a4","a5","a6","a7","a8","a9","aa",') || '"b"]');
SELECT evercore_append(2, 14, 'Greeted', '{}', NULL, NULL, NULL, NULL,
  '["00","01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22","23","24","25","26","27","28","29","30","31","32","33","34","35","36","37","38","39","40","41","42","43","44","45","46","47","48","49","50","51","52","53","54","55","56","57","58","59","60","61","62","63"]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL,
  '["00","01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22","23","24","25","26","27","28","29","30","31","32","33","34","35","36","37","38","39","40","41","42","43","44","45","46","47","48","49","50","51","52","53","54","55","56","57","58","59","60","61","62","63","64"]');

-- anything else is no tags
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, 'student:s1');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '"student:s1"');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '{"student":"s1"}');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a",1]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a",null]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a"');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a\u0000"]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["\ud800"]');
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Greeted","data":{},"tags":{"a":1}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Greeted","data":{},"tags":7}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Greeted","data":{},"tags":"x"}]}]') AS appends;
INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (2, 'Greeted', '{}', '["a"]'), (2, 'Greeted', '{}', '[7]');
INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (2, 'Greeted', '{}', '["a"]'), (2, 'Greeted', '{}', '');
SELECT evercore_sequence(2);

-- the other faults of an event come before: EV004, then EV005, a tag's own last, then EV009 likewise
SELECT evercore_append(2, 15, 'Greeted', '[]', NULL, NULL, NULL, NULL, '[""]');
SELECT evercore_append(2, 15, '', '{}', NULL, NULL, NULL, NULL, '[""]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, 'noon', NULL, '[""]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, NULL, '', '[7]');
SELECT evercore_append(2, 15, 'Greeted', '{}', NULL, NULL, '0', NULL, '[7]');
SELECT evercore_append(99, 15, 'Greeted', '{}', NULL, NULL, NULL, NULL, '[7]');
SELECT evercore_append(2, 99, 'Greeted', '{}', NULL, NULL, NULL, NULL, '["a"]');

-- … all before an aggregate that is named twice
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data, tags) VALUES (1, 'Course', 'c1', 'E', '{}', '{}');
SELECT evercore_append_many('[{"aggregate_id":1,"aggregate_type":"Course","natural_key":"c1","events":[{"event_type":"E","data":{},"tags":{}}]}]') AS appends;
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data, tags) VALUES (1, 'Course', 'c1', 'E', '{}', '["a"]');

-- a repeat is known by its content, and that is aggregate, type and data: the tags stay what they were
SELECT evercore_append(1, NULL, 'CourseRenamed', '{"name":"SQL 2"}', NULL, NULL, NULL, 'r-2', '["other"]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"CourseRenamed","data":{"name":"SQL 2"},"event_id":"r-2"}]}]') AS appends;
SELECT sequence, tags FROM evercore_events(1, 2);

-- what is rolled back leaves none
BEGIN;
SELECT evercore_append(1, 3, 'CourseRenamed', '{"name":"never"}', NULL, NULL, NULL, NULL, '["never","course:c1"]');
ROLLBACK;
SELECT evercore_append(1, 3, 'CourseRenamed', '{"name":"SQL 3"}', NULL, NULL, NULL, NULL, '["never","course:c1"]');
SELECT sequence, tags FROM evercore_events(1, 3);
SELECT aggregate_id, position, problem FROM evercore_check();

-- a renamed type takes its events' tags along
SELECT evercore_rename_type('event', 'CourseRenamed', 'CourseNamed');
SELECT sequence, event_type, tags FROM evercore_events(1, 1);
SELECT aggregate_id, position, problem FROM evercore_check();

-- compaction never removes an event that bears tags: it is refused by id, and passed over by type
SELECT evercore_unsubscribe('all');
SELECT evercore_compact(1, 1);
SELECT evercore_compact_type('Course', 1);
SELECT evercore_sequence(1), count(*) FROM evercore_events(1);

-- … what it keeps may bear them
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES
  ('Room', 'r', 'RoomOpened', '{"a":1}', NULL), ('Room', 'r', 'RoomOpened', '{"b":1}', NULL), ('Room', 'r', 'RoomOpened', '{"c":1}', '["room:r"]');
SELECT evercore_compact(3, 1);
SELECT sequence, tags FROM evercore_events(3);
SELECT evercore_state(3) AS state;

-- erasure removes the tags of what it blanks
SELECT evercore_erase(1);
SELECT sequence, event_type, data, tags FROM evercore_events(1);
SELECT aggregate_id, position, problem FROM evercore_check();
