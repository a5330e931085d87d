-- Filters by tag, of followers and of subscriptions.

-- events of two courses; a student's subscription bears both tags
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES
  ('Course', 'c1', 'CourseOpened', '{}', '["course:c1"]'),
  ('Student', 's1', 'Subscribed', '{}', '["student:s1","course:c1"]'),
  ('Student', 's1', 'Greeted', '{}', NULL),
  ('Student', 's2', 'Subscribed', '{}', '["course:c1","student:s2"]'),
  ('Course', 'c2', 'CourseOpened', '{}', '["course:c2"]'),
  ('Student', 's1', 'Left', '{}', '["course:c1","student:s1"]');

-- an event passes that bears all the tags of the filter
SELECT position FROM evercore_follow(0, NULL, '{"tags":["course:c1"]}');
SELECT position FROM evercore_follow(0, NULL, '{"tags":["course:c1","student:s1"]}');
SELECT position FROM evercore_follow(2, 1, '{"tags":["course:c1"]}', 5);
SELECT position FROM evercore_follow(0, NULL, '{"tags":["nobody"]}');
SELECT position FROM evercore_follow(0, NULL, '{"tags":null}', 2);

-- … and what else the filter says; types is another word for event_types
SELECT position FROM evercore_follow(0, NULL, '{"types":["Subscribed","Left"],"tags":["student:s1"]}');
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"Student","tags":["course:c1"]}');
SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"Student","natural_key":"s1","tags":["course:c1"]}');
SELECT position FROM evercore_follow(0, NULL, '{"types":["CourseOpened"]}');

-- a subscription keeps its filter in one form, and fetch and lag go by it
SELECT evercore_subscribe('c1', ' { "tags" : ["course:c1"], "types" : ["Subscribed"] } ');
SELECT filter, lag_events FROM evercore_subscriptions;
SELECT evercore_claim('c1', 'w', 60);
SELECT position, event_type, tags FROM evercore_fetch('c1', 1);
SELECT evercore_ack('c1', 1, 2);
SELECT position FROM evercore_fetch('c1', 1);
SELECT lag_events FROM evercore_subscriptions;
SELECT evercore_ack('c1', 1, 4);
SELECT position FROM evercore_fetch('c1', 1);
SELECT evercore_ack('c1', 1, NULL);
SELECT lag_events FROM evercore_subscriptions;

-- … with several partitions too
SELECT evercore_subscribe('two', '{"tags":["course:c1"]}', 'beginning', 2);
SELECT sum(lag_events) FROM evercore_subscriptions WHERE name = 'two';
SELECT count(evercore_claim('two', 'w', 60)), count(evercore_claim('two', 'v', 60));
SELECT position FROM (SELECT position FROM evercore_fetch('two', (SELECT token FROM evercore_subscriptions WHERE name = 'two' AND partition = 0))
  UNION ALL SELECT position FROM evercore_fetch('two', (SELECT token FROM evercore_subscriptions WHERE name = 'two' AND partition = 1))) both_of ORDER BY position;
SELECT evercore_unsubscribe('two');

-- a filter that is none says so
SELECT evercore_subscribe('bad', '{"tags":[]}');
SELECT evercore_subscribe('bad', '{"tags":"course:c1"}');
SELECT evercore_subscribe('bad', '{"tags":["a",7]}');
SELECT evercore_subscribe('bad', '{"tags":[""]}');
SELECT evercore_subscribe('bad', '{"types":["A"],"event_types":["A"]}');
SELECT evercore_subscribe('bad', '{"types":["A"],"event_types":null}');
SELECT evercore_subscribe('bad', '{"types":"A"}');
SELECT evercore_subscribe('bad', '{"tags":["00","01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22","23","24","25","26","27","28","29","30","31","32","33","34","35","36","37","38","39","40","41","42","43","44","45","46","47","48","49","50","51","52","53","54","55","56","57","58","59","60","61","62","63","64"]}');

-- erasure is refused while an event that passes has not been read
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES
  ('Student', 's2', 'Subscribed', '{}', '["course:c2","student:s2"]'), ('Student', 's1', 'Subscribed', '{}', '["course:c1","student:s1"]');
SELECT evercore_erase(evercore_find('Student', 's2'));
SELECT evercore_erase(evercore_find('Student', 's1'));

-- what compaction removed bore no tags: a subscription with tags misses nothing of it, and protects nothing from it
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Meter', 'm', 'Subscribed', '{"n":1}'), ('Meter', 'm', 'Subscribed', '{"n":2}');
SELECT evercore_compact(evercore_find('Meter', 'm'), 1);
SELECT evercore_subscribe('late', '{"tags":["course:c1"]}');
SELECT evercore_subscribe('all', '{"types":["Subscribed"]}');
SELECT aggregate_id, position, problem FROM evercore_check();

-- what a fetch saw in a transaction that renames or erases is forgotten with it: an ack of NULL passes by nothing
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Room', 'r', 'Booked', '{}');
SELECT evercore_subscribe('room', '{"aggregate_type":"Room","natural_key":"r"}');
SELECT count(evercore_claim('room', 'w', 60));
BEGIN;
SELECT evercore_rekey(evercore_find('Room', 'r'), 'other');
SELECT count(*) FROM evercore_fetch('room', (SELECT token FROM evercore_subscriptions WHERE name = 'room'));
ROLLBACK;
BEGIN;
SELECT evercore_ack('room', (SELECT token FROM evercore_subscriptions WHERE name = 'room'), NULL);
COMMIT;
BEGIN;
SAVEPOINT s;
SELECT evercore_rekey(evercore_find('Room', 'r'), 'other');
SELECT count(*) FROM evercore_fetch('room', (SELECT token FROM evercore_subscriptions WHERE name = 'room'));
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT evercore_ack('room', (SELECT token FROM evercore_subscriptions WHERE name = 'room'), NULL);
COMMIT;
SELECT natural_key FROM evercore_fetch('room', (SELECT token FROM evercore_subscriptions WHERE name = 'room'));

-- a member that is null is as if it were not there, and one of another type is no name
SELECT evercore_subscribe('nulls', '{"aggregate_type":null,"natural_key":null,"event_types":null,"tags":null}', 'end');
SELECT evercore_subscribe('number', '{"aggregate_type":7}');
SELECT evercore_subscribe('many', '{"event_types":"Booked"}');
