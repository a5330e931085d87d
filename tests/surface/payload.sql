-- Payloads: data and metadata are JSON objects within one profile, and come out byte for byte as they went in.
-- The documents of tests/payload_cases.tsv are tried one by one by the runner; here is the profile itself.

-- blanks, the order of members, the spelling of numbers and escapes: nothing is normalised
SELECT evercore_create('Doc', 'd');
SELECT evercore_append(1, 0, 'Set', ' { "b" : 1.0,"a":[1 , 2.50e1, -0] , "c":"\u0041\/\n" } ', NULL, '{"z":1,  "y":{"é":"é","\u00e9 ":"😀"}}');
SELECT '<' || data || '>', metadata FROM evercore_events(1);

-- … line breaks between members stay line breaks
SELECT evercore_append(1, 1, 'Set', '{
  "a": 1
}');
SELECT data, length(data || '') FROM evercore_events(1, 1);

-- … and so it is by the INSERT form
INSERT INTO evercore_append (aggregate_id, event_type, data, metadata) VALUES (1, 'Set', '{ }', '{"m" :[ ]}');
SELECT data, metadata FROM evercore_events(1, 2);

-- a member can be taken out of it
SELECT data ->> 'c', metadata -> 'y' ->> 'é' FROM evercore_events(1, 0, 1);

-- the root is an object
SELECT evercore_append(1, 3, 'Set', '[]');
SELECT evercore_append(1, 3, 'Set', '"text"');
SELECT evercore_append(1, 3, 'Set', 'null');
SELECT evercore_append(1, 3, 'Set', '7');
SELECT evercore_append(1, 3, 'Set', '{}', NULL, '[1]');

-- it is JSON, to the letter
SELECT evercore_append(1, 3, 'Set', '');
SELECT evercore_append(1, 3, 'Set', '{"a":1');
SELECT evercore_append(1, 3, 'Set', '{"a":1,}');
SELECT evercore_append(1, 3, 'Set', '{a:1}');
SELECT evercore_append(1, 3, 'Set', '{"a":01}');
SELECT evercore_append(1, 3, 'Set', '{"a":NaN}');
SELECT evercore_append(1, 3, 'Set', '{"a":1} {"b":2}');
SELECT evercore_append(1, 3, 'Set', '{"a":"line
break"}');
SELECT evercore_append(1, 3, 'Set', '{}', NULL, '{''a'':1}');

-- no U+0000, no lone surrogate
SELECT evercore_append(1, 3, 'Set', '{"a":"x\u0000y"}');
SELECT evercore_append(1, 3, 'Set', '{"a\u0000":1}');
SELECT evercore_append(1, 3, 'Set', '{"a":"\ud83d"}');
SELECT evercore_append(1, 3, 'Set', '{"a":"\ude00\ud83d"}');
SELECT evercore_append(1, 3, 'Set', '{"a":"\ud83d\ude00","b":"\\u0000","c":"\\ud83d"}');

-- no duplicate key in one object, at any depth, however it is spelled
SELECT evercore_append(1, 4, 'Set', '{"a":1,"a":1}');
SELECT evercore_append(1, 4, 'Set', '{"x":[{"deep":{"k":1,"j":2,"\u006b":3}}]}');
SELECT evercore_append(1, 4, 'Set', '{"é":1,"\u00e9":2}');
SELECT evercore_append(1, 4, 'Set', '{"":1,"":2}');
SELECT evercore_append(1, 4, 'Set', '{}', NULL, '{"m":1,"m":2}');
SELECT evercore_append(1, 4, 'Set', '{"a":{"a":{"a":1}},"A":2,"b":[{"a":1},{"a":2}],"text":"\"a\":1,\"a\":2"}');

-- integers within int64, other numbers finite as doubles
SELECT evercore_append(1, 5, 'Set', '{"max":9223372036854775807,"min":-9223372036854775808}');
SELECT evercore_append(1, 6, 'Set', '{"n":9223372036854775808}');
SELECT evercore_append(1, 6, 'Set', '{"n":[1,{"m":-9223372036854775809}]}');
SELECT evercore_append(1, 6, 'Set', '{"n":1e309}');
SELECT evercore_append(1, 6, 'Set', '{"n":-1.5E+400}');
SELECT evercore_append(1, 6, 'Set', '{"n":[9223372036854775808.0,1e19,1.7976931348623157e308,1e-400,0.00000000000000000000000000000000001,0e999]}');
SELECT evercore_append(1, 7, 'Set', '{"text":"9223372036854775808, 1e999","9223372036854775808":"1e999"}');

-- depth at most 512, the root included
SELECT evercore_append(1, 8, 'Set', '{"n":' || substr(replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', '[[[[[[[[')), 1, 511)
  || substr(replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', ']]]]]]]]')), 1, 511) || '}');
SELECT evercore_append(1, 9, 'Set', '{"n":' || replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', '[[[[[[[['))
  || replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', ']]]]]]]]')) || '}');

-- … of the payload, wherever it stands in an array of appends
SELECT CASE WHEN evercore_append_many('[{"aggregate_id":1,"expected":9,"events":[{"event_type":"Set","data":{"n":'
  || substr(replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', '[[[[[[[[')), 1, 511)
  || substr(replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', ']]]]]]]]')), 1, 511) || '}}]}]') IS NOT NULL THEN 'appended' END;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Set","data":{"n":'
  || replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', '[[[[[[[['))
  || replace('aaaaaaaa', 'a', replace('aaaaaaaa', 'a', ']]]]]]]]')) || '}}]}]') AS appends;

-- an application snapshot's state is held to the same profile
SELECT evercore_save_snapshot(1, 1, '{"a":1', 1);
SELECT evercore_save_snapshot(1, 1, '{"a":"\u0000"}', 1);
SELECT evercore_save_snapshot(1, 1, '{"a":1,"a":2}', 1);
SELECT evercore_save_snapshot(1, 1, '{"a":1e999}', 1);

-- the array of evercore_append_many is JSON by the same rules
SELECT evercore_append_many('[') AS appends;
SELECT evercore_append_many('') AS appends;

-- data and metadata have at most 16 MiB together: a table holds such texts (1, 16, 256 … characters, six times 16)
CREATE TABLE texts (mebibytes integer, big text);
INSERT INTO texts VALUES (16, replace(replace(replace(replace(replace('aaaaaaaaaaaaaaaa', 'a', 'bbbbbbbbbbbbbbbb'), 'b', 'cccccccccccccccc'), 'c', 'dddddddddddddddd'), 'd', 'eeeeeeeeeeeeeeee'), 'e', 'ffffffffffffffff'));
SELECT mebibytes, length(big) FROM texts;
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Big', 'data', 'Set', '{"a":"' || substr(big, 1, 16777216 - 8) || '"}' FROM texts;
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Big', 'data', 'Set', '{"a":"' || substr(big, 1, 16777216 - 7) || '"}' FROM texts;
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, metadata)
  SELECT 'Big', 'both', 'Set', '{"a":"' || substr(big, 1, 8388608 - 8) || '"}', '{"m":"' || substr(big, 1, 8388608 - 8) || '"}' FROM texts;
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, metadata)
  SELECT 'Big', 'both', 'Set', '{"a":"' || substr(big, 1, 8388608 - 8) || '"}', '{"m":"' || substr(big, 1, 8388608 - 7) || '"}' FROM texts;

-- … bytes, not characters
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Big', 'data', 'Set', '{"a":"' || replace(substr(big, 1, 8388608 - 3), 'f', 'é') || '"}' FROM texts;
SELECT natural_key, sequence, length(data || ''), length(metadata || '') FROM evercore_log WHERE aggregate_type = 'Big' ORDER BY position;

-- what was refused left nothing
SELECT evercore_sequence(1);

-- all is well with the store
SELECT * FROM evercore_check();
