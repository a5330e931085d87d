-- Names and keys: never empty, and of so many characters at most. Characters are counted, not bytes.

-- an aggregate type has up to 255 characters
SELECT evercore_create(substr(replace('aaaaaaaaaaaaaaaa', 'a', 'T123456789abcdef'), 1, 255), 'k');
SELECT evercore_create(substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 255), 'k');
SELECT substr(aggregate_type, 1, 20), length(aggregate_type) FROM evercore_aggregates ORDER BY aggregate_id;
SELECT evercore_create(replace('aaaaaaaaaaaaaaaa', 'a', 'T123456789abcdef'));
SELECT evercore_ensure(replace('aaaaaaaaaaaaaaaa', 'a', 'T123456789abcdef'), 'k');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  VALUES (replace('aaaaaaaaaaaaaaaa', 'a', 'T123456789abcdef'), 'k', 'E', '{}');

-- … and is not empty
SELECT evercore_create('');
SELECT evercore_ensure('', 'k');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('', 'k', 'E', '{}');
SELECT evercore_append_many('[{"aggregate_type":"","natural_key":"k","events":[{"event_type":"E","data":{}}]}]') AS appends;
SELECT evercore_snapshot_policy('', 10, 1);

-- a natural key has up to 255 characters
SELECT CASE WHEN evercore_create('Key', 'ABCDEFGHIJKLMNO😀') > 2 THEN 'created' END;
SELECT natural_key, length(natural_key) FROM evercore_aggregates WHERE aggregate_type = 'Key';
SELECT CASE WHEN evercore_ensure('Key', substr(replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'), 1, 255)) > 2 THEN 'created' END;
SELECT max(length(natural_key)) FROM evercore_aggregates;
SELECT evercore_ensure('Key', replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));
SELECT evercore_create('Key', replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));
SELECT evercore_rekey(1, replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  VALUES ('Key', replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'), 'E', '{}');

-- … and is not empty: no key is NULL
SELECT evercore_create('Key', '');
SELECT evercore_ensure('Key', '');
SELECT evercore_rekey(1, '');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Key', '', 'E', '{}');

-- a name that could not be is found nowhere
SELECT evercore_find('', 'k'), evercore_find('Key', ''), evercore_find('Key', replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));

-- an event type has up to 255 characters, and is not empty
SELECT evercore_append(1, 0, substr(replace('aaaaaaaaaaaaaaaa', 'a', 'E123456789abcdef'), 1, 255), '{}');
SELECT evercore_append(1, 1, substr(replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'), 1, 255), '{}');
SELECT substr(event_type, 1, 20), length(event_type) FROM evercore_events(1);
SELECT evercore_append(1, 2, replace('aaaaaaaaaaaaaaaa', 'a', 'E123456789abcdef'), '{}');
SELECT evercore_append(1, 2, '', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, '', '{}');
SELECT evercore_event_type(replace('aaaaaaaaaaaaaaaa', 'a', 'E123456789abcdef'), 'patch');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"' || replace('aaaaaaaaaaaaaaaa', 'a', 'E123456789abcdef') || '","data":{}}]}]') AS appends;

-- an event_id has up to 255 characters, and is not empty
SELECT evercore_append(1, 2, 'E', '{}', NULL, NULL, NULL, substr(replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'), 1, 255));
SELECT length(event_id) FROM evercore_events(1, 2);
SELECT evercore_append(1, 3, 'E', '{}', NULL, NULL, NULL, replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));
SELECT evercore_append(1, 3, 'E', '{}', NULL, NULL, NULL, '');

-- a reference may be empty: that is not the same as none
SELECT evercore_append(1, 3, 'E', '{}', '');
SELECT CASE WHEN reference = '' THEN 'empty' END FROM evercore_events(1, 3);

-- names may hold what they like: quotes, blanks, wildcards
SELECT evercore_append(evercore_ensure('It''s "A" \ %_', ' key with ''quotes'' '), 0, 'Say "hi"; -- no', '{}');
SELECT aggregate_type, natural_key, event_type FROM evercore_events(evercore_find('It''s "A" \ %_', ' key with ''quotes'' '));
SELECT evercore_create('It''s "A" \ %_', ' key with ''quotes'' ');

-- names that differ in case only are different types, of aggregates and of events
SELECT evercore_find('KEY', 'ABCDEFGHIJKLMNO😀');
SELECT evercore_event_type('e', 'custom');
SELECT evercore_append(1, 4, 'e', '{"a":1}');
SELECT evercore_append(1, 5, 'E', '{"b":2}');
SELECT evercore_state(1) AS state;

-- all is well with the store
SELECT * FROM evercore_check();
