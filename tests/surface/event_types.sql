-- Event types: the tags that they declare, what evercore_event_types says of them, and evercore_fill.

-- in an empty store nothing is left to do
SELECT evercore_fill(), evercore_fill(NULL);

-- evercore_event_type declares tags, a prefix and a JSON Pointer into the data each, and gives the name; a fold of NULL stays as it is
SELECT evercore_event_type('StudentSubscribed', NULL, '{"tags":{"course":"/course_id","student":"/students"}}');
SELECT evercore_event_type('CourseOpened', 'patch', '{"tags":{"course":"/course/id"}}');
SELECT evercore_event_type('Noted', 'custom');
SELECT event_type, fold, schema, upcast, tags, filled FROM evercore_event_types ORDER BY event_type;

-- a plain INSERT tags by itself: a string or an integer gives a tag, an array one for each of its elements
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Course', 'c1', 'CourseOpened', '{"course":{"id":"c1"}}'),
  ('Student', 's1', 'StudentSubscribed', '{"course_id":"c1","students":["s1",7]}'),
  ('Student', 's1', 'Noted', '{"course_id":"c1"}');
SELECT position, event_type, tags FROM evercore_log ORDER BY position;

-- so do evercore_append and evercore_append_many, with event ids and conditions too
SELECT evercore_append(2, 2, 'StudentSubscribed', '{"course_id":"c2"}'), evercore_append(2, 3, 'StudentSubscribed', '{"students":"s2"}', NULL, NULL, NULL, 'e-1');
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"c3"}},{"event_type":"Noted","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"c4"},"event_id":"e-2"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"c5"}}]}]', '[{"tags":["course:c5"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"c5"}}]}]', '[{"tags":["course:c5"]}]') AS appends;
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (2, 'StudentSubscribed', '{"course_id":"c6"}');
SELECT sequence, event_type, tags FROM evercore_events(2, 2);

-- declared tags come before those given, each once
SELECT evercore_append(2, 9, 'StudentSubscribed', '{"students":["b","a","b"],"course_id":"c"}', NULL, NULL, NULL, NULL, '["x","student:a","y","x"]');
INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (2, 'StudentSubscribed', '{"course_id":"c"}', '["x"]'), (2, 'Noted', '{"course_id":"c"}', '["x"]');
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"c"},"tags":["course:c","x"]}]}]') AS appends;
SELECT sequence, tags FROM evercore_events(2, 9);

-- what else stands there gives none: a number that is no integer, true, false, null, an object, an array in an array, nothing at all
SELECT evercore_append(1, 1, 'StudentSubscribed', '{"course_id":0.5,"students":[true,false,null,{"a":1},["s"],1.25,"s"]}');
SELECT evercore_append(1, 2, 'StudentSubscribed', '{"course_id":{"id":"c"},"students":null}');
SELECT evercore_append(1, 3, 'StudentSubscribed', '{"course_id":[]}');
SELECT evercore_append(1, 4, 'CourseOpened', '{"course":"c1"}');
SELECT sequence, tags FROM evercore_events(1, 1);

-- the empty string gives the prefix alone, and an integer its digits, however it is spelled
SELECT evercore_append(1, 5, 'StudentSubscribed', '{"course_id":"","students":[-0,1e2,100.0,1.5e1,-7,10e-1,9223372036854775807,-9223372036854775808,9.2e18,1e19,1e-400]}');
SELECT sequence, tags FROM evercore_events(1, 5);

-- a pointer goes through objects and by index through arrays; ~1 is /, ~0 is ~
SELECT evercore_event_type('Pointed', NULL, '{"tags":{"a":"/list/1","b":"/list/01","c":"/list/-1","d":"/list/-","e":"/a~1b/m~0n","f":"","g":"/","h":"/o/1","i":"/o/01","j":"/list/+1","k":"/~01"}}');
SELECT evercore_append(evercore_ensure('T', 'pointed'), 0, 'Pointed', '{"list":["zero","one"],"a/b":{"m~n":"escaped"},"":"empty","o":{"1":"by name","01":"by this name"},"~1":"tilde"}');
SELECT tags FROM evercore_events(evercore_find('T', 'pointed'));

-- a derived tag is at most 255 characters: EV005, and all are at most 64 together: EV009; both after the expected sequence
SELECT evercore_append(1, 6, 'StudentSubscribed', '{"course_id":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 248) || '"}');
SELECT evercore_append(1, 7, 'StudentSubscribed', '{"course_id":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 249) || '"}');
SELECT evercore_append(1, 99, 'StudentSubscribed', '{"course_id":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 249) || '"}');
SELECT evercore_append(1, 7, 'StudentSubscribed', '{"course_id":"c","students":[' || replace('xxxxxx', 'x', '"a1","a2","a3","a4","a5","a6","a7","a8","a9","aa",')
  || '"b00","b01","b02","b03","b04","b05","b06","b07","b08","b09","b10","b11","b12","b13","b14","b15","b16","b17","b18","b19","b20","b21","b22","b23","b24","b25","b26","b27","b28","b29","b30","b31","b32","b33","b34","b35","b36","b37","b38","b39","b40","b41","b42","b43","b44","b45","b46","b47","b48","b49","b50","b51","b52"]}');
SELECT evercore_append(1, 8, 'StudentSubscribed', '{"course_id":"c","students":[' || replace('xxxxxx', 'x', '"a1","a2","a3","a4","a5","a6","a7","a8","a9","aa",')
  || '"b00","b01","b02","b03","b04","b05","b06","b07","b08","b09","b10","b11","b12","b13","b14","b15","b16","b17","b18","b19","b20","b21","b22","b23","b24","b25","b26","b27","b28","b29","b30","b31","b32","b33","b34","b35","b36","b37","b38","b39","b40","b41","b42","b43","b44","b45","b46","b47","b48","b49","b50","b51","b52"]}',
  NULL, NULL, NULL, NULL, '["x"]');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Noted', '{}'),
  (1, 'StudentSubscribed', '{"course_id":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 249) || '"}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"StudentSubscribed","data":{"course_id":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 249) || '"}}]}]') AS appends;
SELECT evercore_sequence(1);

-- a repeat by event_id is answered as the first time, whatever was declared since
SELECT evercore_append(2, NULL, 'Noted', '{"by":"ann"}', NULL, NULL, NULL, 'n-1', '["x"]');
SELECT evercore_event_type('Noted', NULL, '{"tags":{"by":"/by"}}');
SELECT evercore_append(2, NULL, 'Noted', '{"by":"ann"}', NULL, NULL, NULL, 'n-1',
  '["00","01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22","23","24","25","26","27","28","29","30","31","32","33","34","35","36","37","38","39","40","41","42","43","44","45","46","47","48","49","50","51","52","53","54","55","56","57","58","59","60","61","62","63"]');
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Noted","data":{"by":"ann"},"event_id":"n-1"}]}]') AS appends;
SELECT tags FROM evercore_log WHERE event_id = 'n-1';

-- declaring tags for a type that has events tags those: what they lack comes behind the derived tags that they have and before those given
SELECT evercore_append(evercore_ensure('Order', 'o1'), 0, 'Placed', '{"customer":"c","items":["i","j"],"by":"ann"}', NULL, NULL, NULL, NULL, '["x","item:j"]');
SELECT evercore_append(evercore_find('Order', 'o1'), 1, 'Placed', '{"customer":"d"}');
SELECT evercore_append(evercore_find('Order', 'o1'), 2, 'Placed', '{}');
SELECT evercore_append(evercore_find('Order', 'o1'), 3, 'Shipped', '{"customer":"c"}');
SELECT evercore_event_type('Placed', NULL, '{"tags":{"customer":"/customer"}}');
SELECT sequence, tags FROM evercore_events(evercore_find('Order', 'o1'));
SELECT evercore_event_type('Placed', NULL, '{"tags":{"item":"/items","by":"/by"}}');
SELECT sequence, tags FROM evercore_events(evercore_find('Order', 'o1'));
SELECT event_type, tags, filled FROM evercore_event_types WHERE event_type = 'Placed';

-- queries and conditions find them
SELECT sequence, tags FROM evercore_query('[{"types":["Placed"],"tags":["item:j","customer:c"]}]');
SELECT evercore_append_many('[]', '[{"tags":["by:ann"],"types":["Placed"]}]') AS appends;
SELECT evercore_append_many('[]', '[{"tags":["by:bob"],"types":["Placed"]}]') AS appends;

-- what is declared already is no change, NULL and {} leave all as it is, and a NULL fold too
SELECT evercore_event_type('Placed', NULL, ' { "tags" : { "item" : "\/items" , "by" : "/by" } } ');
SELECT evercore_event_type('Placed'), evercore_event_type('Placed', NULL), evercore_event_type('Placed', 'merge', NULL), evercore_event_type('Placed', NULL, '{}');
SELECT event_type, fold, tags, filled FROM evercore_event_types WHERE event_type = 'Placed';
SELECT evercore_event_type('CourseOpened', NULL, '{"tags":{"course":"/course/id"}}');
SELECT fold FROM evercore_event_types WHERE event_type = 'CourseOpened';

-- null and {} take the declaration away; events keep what they bear
SELECT evercore_event_type('Placed', NULL, '{"tags":null}');
SELECT evercore_append(evercore_find('Order', 'o1'), 4, 'Placed', '{"by":"ann"}');
SELECT sequence, tags FROM evercore_events(evercore_find('Order', 'o1'));
SELECT event_type, tags FROM evercore_event_types WHERE event_type = 'Placed';
SELECT evercore_event_type('Pointed', NULL, '{"tags":{}}');
SELECT event_type, tags FROM evercore_event_types WHERE event_type = 'Pointed';

-- a type that nothing was declared of is not there
SELECT evercore_event_type('Never');
SELECT count(*) FROM evercore_event_types WHERE event_type IN ('Never', 'Shipped');

-- what is no declaration: the first fault
SELECT evercore_event_type('Bad', NULL, 'tags');
SELECT evercore_event_type('Bad', NULL, '[]');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"/a"},"tags":{"a":"/a"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"/a","a":"/b"}}');
SELECT evercore_event_type('Bad', NULL, '{"colour":1}');
SELECT evercore_event_type('Bad', NULL, '{"tags":"course"}');
SELECT evercore_event_type('Bad', NULL, '{"tags":["course"]}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":1}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"/a","b/c":null}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"course_id"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"/course~id"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"a":"/~2"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"":"/a"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 255) || '":"/a"}}');
SELECT evercore_event_type('Bad', NULL, '{"tags":{"p00":"/p","p01":"/p","p02":"/p","p03":"/p","p04":"/p","p05":"/p","p06":"/p","p07":"/p","p08":"/p","p09":"/p","p10":"/p","p11":"/p","p12":"/p","p13":"/p","p14":"/p","p15":"/p","p16":"/p","p17":"/p","p18":"/p","p19":"/p","p20":"/p","p21":"/p","p22":"/p","p23":"/p","p24":"/p","p25":"/p","p26":"/p","p27":"/p","p28":"/p","p29":"/p","p30":"/p","p31":"/p","p32":"/p","p33":"/p","p34":"/p","p35":"/p","p36":"/p","p37":"/p","p38":"/p","p39":"/p","p40":"/p","p41":"/p","p42":"/p","p43":"/p","p44":"/p","p45":"/p","p46":"/p","p47":"/p","p48":"/p","p49":"/p","p50":"/p","p51":"/p","p52":"/p","p53":"/p","p54":"/p","p55":"/p","p56":"/p","p57":"/p","p58":"/p","p59":"/p","p60":"/p","p61":"/p","p62":"/p","p63":"/p","p64":"/p"}}');
SELECT evercore_event_type('', NULL, '{}');
SELECT evercore_event_type('Bad', 'replace', '{"colour":1}');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Bad';

-- an event that cannot be tagged keeps the declaration out
SELECT evercore_append(evercore_ensure('T', 'long'), 0, 'Long', '{"a":"' || replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef') || '"}');
SELECT evercore_event_type('Long', NULL, '{"tags":{"a":"/a"}}');
SELECT evercore_append(evercore_ensure('T', 'many'), 0, 'Many', '{"a":["n"]}', NULL, NULL, NULL, NULL,
  '["00","01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22","23","24","25","26","27","28","29","30","31","32","33","34","35","36","37","38","39","40","41","42","43","44","45","46","47","48","49","50","51","52","53","54","55","56","57","58","59","60","61","62","63"]');
SELECT evercore_event_type('Many', 'patch', '{"tags":{"a":"/a"}}');
SELECT count(*) FROM evercore_event_types WHERE event_type IN ('Long', 'Many');

-- where events of the type were compacted nothing is declared that they would lack
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Room', 'r', 'Cleaned', '{"by":"a"}'), ('Room', 'r', 'Cleaned', '{"by":"b"}');
SELECT evercore_compact(evercore_find('Room', 'r'), 1);
SELECT evercore_event_type('Cleaned', NULL, '{"tags":{"by":"/by"}}');
SELECT evercore_event_type('Cleaned', NULL, '{"tags":null}');

-- events that declared tags are never compacted
SELECT evercore_compact(evercore_find('Course', 'c1'), 1);

-- a renamed type keeps what it declares
SELECT evercore_rename_type('event', 'StudentSubscribed', 'Enrolled');
SELECT event_type, tags FROM evercore_event_types WHERE event_type IN ('Enrolled', 'StudentSubscribed');
SELECT evercore_append(1, 8, 'Enrolled', '{"course_id":"c9"}');
SELECT tags FROM evercore_events(1, 8);
SELECT sequence, event_type FROM evercore_query('[{"types":["Enrolled"],"tags":["course:c9"]}]');

-- erasure takes derived tags away too, and a later declaration passes over what was erased
SELECT evercore_erase(evercore_find('Order', 'o1'));
SELECT evercore_event_type('Placed', NULL, '{"tags":{"customer":"/customer"}}');
SELECT count(*) FROM evercore_log WHERE event_type = 'Placed' AND tags IS NOT NULL;

-- what is rolled back is not declared
BEGIN;
SELECT evercore_event_type('Shipped', NULL, '{"tags":{"customer":"/customer"}}');
ROLLBACK;
SELECT evercore_append(1, 9, 'Shipped', '{"customer":"c"}');
SELECT sequence, tags FROM evercore_events(1, 9);

-- nothing is left to do, and all is well with the store
SELECT evercore_fill(), evercore_fill(5);
SELECT aggregate_id, position, problem FROM evercore_check();

-- of more than 100,000 events the tags are left to evercore_fill
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'Gate', 'g' || (i % 2), 'Entered', '{"guest":' || (i % 1000) || '}' FROM n;
SELECT evercore_event_type('Entered', NULL, '{"tags":{"guest":"/guest"}}');
SELECT event_type, tags, filled FROM evercore_event_types WHERE event_type = 'Entered';
SELECT count(*) FROM evercore_log WHERE event_type = 'Entered' AND tags IS NOT NULL;

-- new events bear them at once
SELECT evercore_append(evercore_find('Gate', 'g0'), 50000, 'Entered', '{"guest":"ann"}');
SELECT sequence, tags FROM evercore_events(evercore_find('Gate', 'g0'), 50000);

-- until it is done a query, a condition or a filter that lets the type in and asks for such a tag is EV010
SELECT count(*) FROM evercore_query('[{"tags":["guest:7"]}]');
SELECT count(*) FROM evercore_query('[{"types":["Noted","Entered"],"tags":["by:ann","guest:7"]}]');
SELECT evercore_append_many('[]', '[{"types":["Entered"],"tags":["guest:7"]}]') AS appends;
SELECT count(*) FROM evercore_follow(0, 10, '{"tags":["guest:7"]}');
SELECT evercore_subscribe('guests', '{"tags":["guest:7"]}'), evercore_claim('guests', 'w', 30);
SELECT count(*) FROM evercore_fetch('guests', (SELECT token FROM evercore_subscriptions WHERE name = 'guests'));

-- … others are not
SELECT count(*) FROM evercore_query('[{"types":["Noted"],"tags":["guest:7"]}]');
SELECT count(*) FROM evercore_query('[{"tags":["guests:7"]}]');
SELECT evercore_append_many('[]', '[{"types":["Placed"],"tags":["guest:7"]}]') AS appends;

-- … and events of the type count as tagged for compaction
SELECT evercore_unsubscribe('guests');
SELECT evercore_compact(evercore_find('Gate', 'g1'), 10);
SELECT evercore_compact_type('Gate', 10);

-- evercore_fill tags at most so many events a call, and gives how many are left
SELECT evercore_fill(1000), evercore_fill(99000), evercore_fill(1);
SELECT event_type, filled FROM evercore_event_types WHERE event_type = 'Entered';
SELECT count(*) FROM evercore_query('[{"tags":["guest:7"]}]');
SELECT count(*) FROM evercore_log WHERE event_type = 'Entered' AND tags IS NULL;
SELECT aggregate_id, position, problem FROM evercore_check();

-- an event that cannot be tagged ends it, until the declaration is changed
SELECT evercore_event_type('Entered', NULL, '{"tags":{"g' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 252) || '":"/guest"}}');
SELECT evercore_fill(100);
SELECT evercore_event_type('Entered', NULL, '{"tags":{"guest":"/guest"}}');
SELECT evercore_fill(100000), evercore_fill(), evercore_fill();

-- a changed upcast leaves the tags of so many old events to evercore_fill as well
SELECT evercore_append(evercore_find('Gate', 'g0'), 50001, 'Entered', '{"visitor":"bob"}');
SELECT evercore_event_type('Entered', NULL, '{"upcast":[{"rename":{"/visitor":"guest"}}]}');
SELECT event_type, filled FROM evercore_event_types WHERE event_type = 'Entered';
SELECT count(*) FROM evercore_query('[{"tags":["guest:bob"]}]');
SELECT evercore_event_type('Entered', NULL, '{"upcast":[{"rename":{"/visitor":"guest"}}]}'), evercore_fill(2), evercore_fill();
SELECT event_type, filled FROM evercore_event_types WHERE event_type = 'Entered';
SELECT sequence, tags FROM evercore_query('[{"tags":["guest:bob"]}]');

-- max is at least 1
SELECT evercore_fill(0);
SELECT evercore_fill(NULL);

-- a merge that was declared is told from one that nobody declared; either may become another fold, and declared anew it is no change of states
SELECT evercore_event_type('Merged', 'merge'), evercore_event_type('Silent', NULL, '{"schema":true}');
SELECT event_type, fold FROM evercore_event_types WHERE event_type IN ('Merged', 'Silent') ORDER BY event_type;
SELECT evercore_append(evercore_ensure('M', 'm'), 0, 'Silent', '{"a":1}');
SELECT evercore_compact(evercore_find('M', 'm'), 0);
SELECT evercore_event_type('Silent', 'merge');
SELECT evercore_event_type('Merged', 'patch');
SELECT evercore_event_type('Merged', '[{"merge":""}]');
SELECT event_type, fold FROM evercore_event_types WHERE event_type IN ('Merged', 'Silent') ORDER BY event_type;
SELECT evercore_event_type('Silent', 'patch');

-- a pointer beyond the end of an array gives no tag, and neither does one through what is no container
SELECT evercore_event_type('Listed', NULL, '{"tags":{"second":"/list/1","deep":"/list/0/name"}}');
SELECT evercore_append(evercore_ensure('L', 'l'), 0, 'Listed', '{"list":["a"]}');
SELECT evercore_append(evercore_find('L', 'l'), 1, 'Listed', '{"list":[{"name":"x"},"b"]}');
SELECT sequence, tags FROM evercore_events(evercore_find('L', 'l'));
