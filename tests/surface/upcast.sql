-- Upcasts: how data in an older shape of their event type are brought into that of today.

-- evercore_event_type declares an upcast and gives the name; evercore_upcast gives the data in the shape of today
SELECT evercore_event_type('Created', NULL, '{"upcast": [ {"rename":{"/mail":"email"}},{"move":{"/city":"/address/city"}},{"default":{"/active":true}},{"remove":["/age"]} ] }');
SELECT evercore_upcast('Created', '{"name":"ann","mail":"a@b","city":"Bern","age":7}') AS today;
SELECT event_type, fold, schema, upcast, tags, filled FROM evercore_event_types;

-- what it leaves as it is stays so byte for byte: data in the new shape, of types that declare none, of types that are not there
SELECT evercore_upcast('Created', ' {"email" : "a@b",  "address":{"city" :null}, "active": null, "n":1.50e0}'), evercore_upcast('Undeclared', ' { "a":1.0 }');

-- what is done twice is done once
SELECT evercore_upcast('Created', evercore_upcast('Created', '{"name":"ann","mail":"a@b","city":"Bern","age":7}')) AS today;

-- numbers and texts keep their spelling
SELECT evercore_event_type('Kept', NULL, '{"upcast":[{"move":{"/n":"/m"}},{"default":{"/d":[1.50,"\u0061"]}}]}');
SELECT CASE WHEN CAST(evercore_upcast('Kept', '{"n":12345678901234567890.10}') AS text) LIKE '%12345678901234567890.10%1.50%u0061%' THEN 'kept' END;
SELECT CASE WHEN CAST(evercore_upcast('Kept', '{"n":[1e2,-0,0.10,"\u00e9\/"],"d":0}') AS text) LIKE '%1e2%-0%0.10%u00e9_/%' THEN 'kept' END;

-- rename gives a member another name in the same object, which it keeps; nothing where that name is there, null too
SELECT evercore_event_type('Rename', NULL, '{"upcast":[{"rename":{"/a":"b","/o/p/x":"y/~z","/e":""}}]}');
SELECT evercore_upcast('Rename', '{"a":{"a":1},"o":{"p":{"x":null,"z":1}},"e":2}') AS today;
SELECT evercore_upcast('Rename', '{"a":1,"b":null,"o":{"p":{"x":1,"y/~z":null}},"":3,"e":4}') AS today;

-- … an object too
SELECT evercore_upcast('Rename', '{"a":1, "b":{}}'), evercore_upcast('Rename', '{"o":{"p":{"x":1, "y/~z":{"a":2}}}}');

-- move puts a value elsewhere and makes the objects on the way; an object that it leaves stays, though empty
SELECT evercore_event_type('Move', NULL, '{"upcast":[{"move":{"/a":"/n/m/a","/o/x":"/x","/l":"/k~1l"}}]}');
SELECT evercore_upcast('Move', '{"a":{"b":[1]},"o":{"x":1},"l":null}') AS today;
SELECT evercore_upcast('Move', '{"a":1,"n":{"m":{"b":2}},"o":{"x":{"y":3},"z":4}}') AS today;

-- … and does nothing where the target is there, or where the way leads through no object
SELECT evercore_upcast('Move', '{"a":1,"n":{"m":{"a":null}},"o":{"x":1},"x":2}'), evercore_upcast('Move', '{"a":1,"n":{"m":{"a":{}}}}');
SELECT evercore_upcast('Move', '{"a":1,"n":[]}'), evercore_upcast('Move', '{"a":1,"n":null}'), evercore_upcast('Move', '{"a":1,"n":{"m":"text"}}'), evercore_upcast('Move', '{"o":[{"x":1}]}');

-- default gives what is absent; null counts as there, and missing objects are made
SELECT evercore_event_type('Default', NULL, '{"upcast":[{"default":{"/a":null,"/o/p/q":{"r":[]},"/o/p/t":"text","/l/0":1}}]}');
SELECT evercore_upcast('Default', '{}') AS today;
SELECT evercore_upcast('Default', '{"a":1,"o":{"p":{"q":null}},"l":{}}') AS today;
SELECT evercore_upcast('Default', '{"a":[],"o":{"p":[]},"l":[]}'), evercore_upcast('Default', '{"a":0,"o":7,"l":null}');

-- remove takes a member away, through objects only
SELECT evercore_event_type('Remove', NULL, '{"upcast":[{"remove":["/a","/o/x","/l/0"]}]}');
SELECT evercore_upcast('Remove', '{"a":{"b":1},"o":{"x":null},"l":{"0":1,"1":2}}') AS today;
SELECT evercore_upcast('Remove', '{"l":[1,2], "o" : ["x"]}'), evercore_upcast('Remove', '{"b":1}');

-- operations go in order, within one in the order of its members, each on the result of the one before
SELECT evercore_event_type('Ordered', NULL, '{"upcast":[{"rename":{"/old":"new","/older":"new"}},{"rename":{"/oldest":"new"}},{"default":{"/new":0}},{"remove":["/old","/older"]}]}');
SELECT evercore_upcast('Ordered', '{"old":1,"older":2,"oldest":3}') AS today;
SELECT evercore_upcast('Ordered', '{"older":2,"oldest":3}') AS today;
SELECT evercore_upcast('Ordered', '{"oldest":3}') AS today;
SELECT evercore_upcast('Ordered', '{}') AS today;
SELECT evercore_event_type('Moved', NULL, '{"upcast":[{"move":{"/a":"/o/a","/b":"/o/b"}},{"default":{"/o/a":1}},{"move":{"/c":"/o/c"}}]}');
SELECT evercore_upcast('Moved', '{"b":2,"c":3}') AS today;
SELECT evercore_upcast('Moved', '{"a":1,"o":{"c":4},"c":3}') AS today;

-- nothing is done that would make data deeper than 512
SELECT evercore_event_type('Deep', NULL, '{"upcast":[{"move":{"/a":"/b/c"}}]}');
SELECT evercore_upcast('Deep', replace(replace('{"a":<510>}', '<510>', replace(replace('xxxxxxxxxxyyyyyyyyyy', 'x', '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['), 'y', ']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]')), ' ', '')) AS today;
SELECT evercore_upcast('Deep', replace('{"a": <511>}', '<511>', '[' || replace(replace('xxxxxxxxxxyyyyyyyyyy', 'x', '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['), 'y', ']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]') || ']'));

-- keys are compared by what they say
SELECT evercore_event_type('Escaped', NULL, '{"upcast":[{"ren\u0061me":{"\/m\u00e4il":"\u0065"}}]}');
SELECT evercore_upcast('Escaped', '{"m\u00e4il":1}') AS today;
SELECT evercore_upcast('Escaped', '{"mäil":1, "\u0065":2}');

-- arguments: EV004 of the data, EV005 of the name, EV009 of what is no text
SELECT evercore_upcast('Created', '[]');
SELECT evercore_upcast('Created', '{"a":1,"a":2}');
SELECT evercore_upcast('', '{}');
SELECT evercore_upcast(NULL, '{}');
SELECT evercore_upcast('Created', NULL);

-- states are folded from data upcast; what is stored stays as it is and reads so, also where it is a repeat
SELECT evercore_append(evercore_ensure('User', 'ann'), 0, 'Created', '{"name":"ann","mail":"a@b"}', NULL, NULL, NULL, 'e-1');
SELECT evercore_append(evercore_find('User', 'ann'), 1, 'Noted', '{"mail":"note"}'), evercore_append(evercore_find('User', 'ann'), 2, 'Created', '{"active":false,"city":"Bern"}');
SELECT evercore_state(1) AS state;
SELECT evercore_state(1, 2) AS state;
SELECT sequence, data, state FROM evercore_history(1);
SELECT sequence, data FROM evercore_events(1);
SELECT data FROM evercore_log WHERE event_type = 'Created';
SELECT evercore_append(1, NULL, 'Created', '{"name":"ann","mail":"a@b"}', NULL, NULL, NULL, 'e-1');
SELECT evercore_append(1, NULL, 'Created', '{"name":"ann","email":"a@b","active":true}', NULL, NULL, NULL, 'e-1');

-- evercore_replay gives them upcast, since its base is folded so
SELECT sequence, event_type, data AS today FROM evercore_replay(1);
SELECT evercore_snapshot(1);
SELECT evercore_append(1, 3, 'Created', '{ "mail":"c@d", "active" : 1}');
SELECT sequence, event_type, data AS today FROM evercore_replay(1);
SELECT evercore_save_snapshot(1, 1, '{"of":"the application"}', 7);
SELECT sequence, event_type, data AS today FROM evercore_replay(1, 7);

-- every fold sees them: patch, rules, custom (which sees nothing)
SELECT evercore_event_type('Patched', 'patch', '{"upcast":[{"move":{"/gone":"/o/gone"}}]}');
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}},{"set":{"/last":""}}]', '{"upcast":[{"rename":{"/sum":"amount"}},{"default":{"/amount":1}}]}');
SELECT evercore_event_type('Stamped', '[{"set":{"/at/{/place}":{"field":"sequence"}}}]', '{"upcast":[{"rename":{"/where":"place"}}]}');
SELECT evercore_event_type('Own', 'custom', '{"upcast":[{"rename":{"/a":"b"}}]}');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'folds', 'Noted', '{"o":{"gone":1,"left":2}}'),
  ('T', 'folds', 'Patched', '{"gone":null}'), ('T', 'folds', 'Deposited', '{"sum":5}'), ('T', 'folds', 'Deposited', '{}'), ('T', 'folds', 'Stamped', '{"where":"x"}'), ('T', 'folds', 'Own', '{"a":1}');
SELECT evercore_state(evercore_find('T', 'folds')) AS state;
SELECT sequence, event_type, data AS today FROM evercore_replay(evercore_find('T', 'folds'));

-- a policy's snapshots hold what is folded so
SELECT evercore_snapshot_policy('Policy', 2, 1);
SELECT evercore_append_many('[{"aggregate_type":"Policy","natural_key":"p","events":[{"event_type":"Deposited","data":{"sum":2}},{"event_type":"Deposited","data":{"amount":3}},{"event_type":"Deposited","data":{"sum":4}}]}]') AS appends;
SELECT sequence, event_type, data AS today FROM evercore_replay(evercore_find('Policy', 'p'));

-- a schema is asked of the data upcast, by appends and by evercore_validate
SELECT evercore_event_type('Paid', NULL, '{"upcast":[{"rename":{"/sum":"amount"}}],"schema":{"required":["amount"],"properties":{"amount":{"minimum":1}},"additionalProperties":false}}');
SELECT evercore_append(evercore_ensure('T', 'paid'), 0, 'Paid', '{"sum":1}');
SELECT evercore_append(evercore_find('T', 'paid'), 1, 'Paid', '{"sum":0}');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'paid', 'Paid', '{"amount":2}'), ('T', 'paid', 'Paid', '{"sum":3,"amount":2}');
SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":"paid","events":[{"event_type":"Paid","data":{"sum":4}},{"event_type":"Paid","data":{"sum":"5"}},{"event_type":"Paid","data":{"total":5}}]}]') AS appends;
SELECT evercore_validate('Paid', '{"sum":1}'), evercore_validate('Paid', '{"sum":0}'), evercore_validate('Paid', '{"amount":1,"sum":2}');

-- the options of evercore_validate may try an upcast, a schema, both; what they leave out is the declared one, null is none
SELECT evercore_validate('Paid', '{"sum":1}', '{"upcast":null}') AS fault;
SELECT evercore_validate('Paid', '{"sum":1}', '{"upcast":[]}') AS fault;
SELECT evercore_validate('Paid', '{"total":1}', '{"upcast":[{"rename":{"/total":"amount"}}]}') AS fault;
SELECT evercore_validate('Paid', '{"sum":1}', '{"schema":{"required":["sum"]}}') AS fault;
SELECT evercore_validate('Paid', '{"sum":1}', '{"schema":{"required":["sum"]},"upcast":null}') AS fault;
SELECT evercore_validate('Paid', '{"sum":0}', '{"schema":null}') AS fault;
SELECT evercore_validate('Paid', '{"sum":0}', '{}') AS fault;
SELECT evercore_validate('Undeclared', '{"a":1}', '{"upcast":[{"rename":{"/a":"b"}}],"schema":{"properties":{"b":{"minimum":2}}}}') AS fault;
SELECT evercore_validate('Undeclared', '{"a":1}', '{"upcast":[{"rename":{"/a":"b"}}]}') AS fault;
SELECT evercore_validate('Paid', '{"sum":1}', '{"upcast":[{"rename":{"/a":"a"}}]}');
SELECT event_type, upcast FROM evercore_event_types WHERE event_type = 'Paid';

-- declared tags are derived from the data upcast
SELECT evercore_event_type('Booked', NULL, '{"upcast":[{"rename":{"/guest":"guests"}},{"default":{"/house":"h0"}}],"tags":{"guest":"/guests","house":"/house"}}');
SELECT evercore_append(evercore_ensure('T', 'booked'), 0, 'Booked', '{"guest":["a","b"]}'), evercore_append(evercore_ensure('T', 'booked'), 1, 'Booked', '{"guests":"c","house":"h1"}');
SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":"booked","events":[{"event_type":"Booked","data":{"guest":"d"},"tags":["x"]}]}]') AS appends;
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'booked', 'Booked', '{"guest":"e"}');
SELECT sequence, data, tags FROM evercore_events(evercore_find('T', 'booked'));
SELECT sequence FROM evercore_query('[{"tags":["house:h0","guest:a"]}]');

-- … and so are those of old events: the tags that they lack, where tags are declared, or an upcast is
SELECT evercore_append(evercore_ensure('T', 'old'), 0, 'Entered', '{"who":"a"}'), evercore_append(evercore_ensure('T', 'old'), 1, 'Entered', '{"by":"b"}'), evercore_append(evercore_ensure('T', 'old'), 2, 'Entered', '{"name":"c"}');
SELECT evercore_event_type('Entered', NULL, '{"upcast":[{"rename":{"/who":"by"}}]}');
SELECT evercore_event_type('Entered', NULL, '{"tags":{"by":"/by"}}');
SELECT sequence, tags FROM evercore_events(evercore_find('T', 'old'));
SELECT evercore_event_type('Entered', NULL, '{"upcast":[{"rename":{"/name":"by"}}]}');
SELECT sequence, tags FROM evercore_events(evercore_find('T', 'old'));
SELECT evercore_event_type('Entered', NULL, '{"upcast":[{"rename":{"/name":"who"}}],"tags":{"who":"/who"}}');
SELECT sequence, tags FROM evercore_events(evercore_find('T', 'old'));
SELECT event_type, upcast, tags, filled FROM evercore_event_types WHERE event_type = 'Entered';

-- the same declaration again is no change, whatever its blanks and escapes; the order of members counts
SELECT evercore_snapshot(evercore_find('T', 'folds'));
SELECT evercore_event_type('Deposited', NULL, '{"upcast": [ {"rename" : {"\/sum":"\u0061mount"}}, {"default":{"/amount":1.0}} ]}');
SELECT evercore_event_type('Deposited', NULL, '{}'), evercore_event_type('Deposited'), evercore_event_type('Deposited', NULL, '{"schema":null}');
SELECT upcast FROM evercore_event_types WHERE event_type = 'Deposited';
SELECT sequence, event_type FROM evercore_replay(evercore_find('T', 'folds'));

-- another one voids the engine snapshots of the aggregates that have such events, and their states are others
SELECT evercore_event_type('Deposited', NULL, '{"upcast":[{"default":{"/amount":1}},{"rename":{"/sum":"total"}}]}');
SELECT sequence, event_type FROM evercore_replay(evercore_find('T', 'folds')) WHERE event_type IS NULL;
SELECT sequence, event_type FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT evercore_state(evercore_find('T', 'folds')) AS state;
SELECT evercore_state(evercore_find('Policy', 'p')) AS state;

-- null takes it away, [] too, and a type without any is not there
SELECT evercore_event_type('Kept', NULL, '{"upcast":null}'), evercore_event_type('Escaped', NULL, '{"upcast":[]}'), evercore_event_type('Never', NULL, '{"upcast":[]}'), evercore_event_type('Never', NULL, '{"upcast":null}');
SELECT evercore_upcast('Kept', '{"n":1}'), evercore_upcast('Escaped', '{"mäil":1}');
SELECT event_type, upcast FROM evercore_event_types WHERE event_type IN ('Kept', 'Escaped', 'Never');
SELECT evercore_event_type('Nothing', NULL, '{"upcast":[{"rename":{}},{"remove":[]}]}');
SELECT evercore_upcast('Nothing', '{ "a":1 }');
SELECT event_type, upcast FROM evercore_event_types WHERE event_type = 'Nothing';

-- fold, upcast, schema and tags stay as they are where they are not given
SELECT evercore_event_type('Paid', 'patch', '{"tags":{"amount":"/amount"}}');
SELECT event_type, fold, upcast, schema, tags FROM evercore_event_types WHERE event_type = 'Paid';
SELECT evercore_event_type('Paid', NULL, '{"upcast":null}');
SELECT event_type, fold, upcast, schema, tags FROM evercore_event_types WHERE event_type = 'Paid';
SELECT sequence, tags FROM evercore_events(evercore_find('T', 'paid'));

-- compaction folds them so, and then the upcast stays as it is: EV010
SELECT evercore_append(evercore_ensure('T', 'compacted'), 0, 'Moved', '{"a":1}'), evercore_append(evercore_ensure('T', 'compacted'), 1, 'Moved', '{"c":2}'), evercore_append(evercore_ensure('T', 'compacted'), 2, 'Noted', '{"d":3}');
SELECT evercore_compact(evercore_find('T', 'compacted'), 1);
SELECT sequence, event_type, data AS today FROM evercore_replay(evercore_find('T', 'compacted'));
SELECT evercore_event_type('Moved', NULL, '{"upcast":[{"move":{"/a":"/o/a"}}]}');
SELECT evercore_event_type('Moved', NULL, '{"upcast":null}');
SELECT evercore_event_type('Moved', NULL, '{"upcast":[{"move":{"/a":"/o/a","/b":"/o/b"}},{"default":{"/o/a":1}},{"move":{"/c":"/o/c"}}]}');
SELECT evercore_state(evercore_find('T', 'compacted')) AS state;

-- erased events have no data, and none are given them
SELECT evercore_event_type('Defaulted', NULL, '{"upcast":[{"default":{"/a":1}}]}');
SELECT evercore_append(evercore_ensure('T', 'erased'), 0, 'Defaulted', '{}');
SELECT evercore_erase(evercore_find('T', 'erased'));
SELECT sequence, event_type, data FROM evercore_replay((SELECT max(aggregate_id) FROM evercore_aggregates)) WHERE event_type IS NOT NULL;
SELECT data, state FROM evercore_history((SELECT max(aggregate_id) FROM evercore_aggregates));

-- a rename takes it along
SELECT evercore_event_type('Before', NULL, '{"upcast":[{"rename":{"/a":"b"}}]}');
SELECT evercore_rename_type('event', 'Before', 'After');
SELECT evercore_upcast('After', '{"a":1}'), evercore_upcast('Before', '{"a":1}');

-- what is no upcast: the first fault, with a pointer to it
SELECT evercore_event_type('Bad', NULL, '{"upcast":{}}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":"rename"}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[1]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{}},{}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{},"move":{}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"put/it":{}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"Rename":{}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":["/a"]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":"/a"}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":null}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"remove":{"/a":"/a"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b","a/b":"c"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"":"b"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a~":"b"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a~1b":7}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":null}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a/b":"b"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a/b":""}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a/b":["/c"]}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"a":"/c"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/a":1,"":{}}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/~2":1}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"remove":["/a",7]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"remove":["/a","/b","b"]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"remove":[""]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b"}},{"rename":{"/b":"c"}},{"remove":[7]}]}');

-- what is taken away may not be, hold or lie below what is written: the later of the two is named, and the first that it conflicts with
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b","/b":"c"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b"}},{"rename":{"/c":"d"}},{"default":{"/a/x":1}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b"}},{"default":{"/a":1}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/a/b":1}},{"remove":["/x","/a"]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/a":1}},{"remove":["/a/b"]}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a":"/b/c"}},{"move":{"/b":"/d"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"a"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/o/a~1b":"a/b"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a~1b":"/a~1b/c"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/a/b":"/a"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"remove":["/a"]},{"rename":{"/b":"a","/c":"a"}}]}');

-- … nor may anything written lie below anything else that is; two that are equal, or taken away, are well
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/a":{}}},{"default":{"/a/b":1}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"move":{"/x":"/a/b/c","/y":"/a"}}]}');
SELECT evercore_event_type('Well', NULL, '{"upcast":[{"rename":{"/a":"c","/b":"c"}},{"default":{"/c":1,"/cc":2}},{"remove":["/a","/b/b","/b","/b"]},{"move":{"/b":"/c"}}]}');
SELECT evercore_upcast('Well', '{"a":1,"b":{"b":2}}') AS today;

-- more entries than 1,000 are too large
SELECT evercore_event_type('Many', NULL, '{"upcast":[{"remove":[' || replace(replace('xxxxxxxxxx', 'x', 'yyyyyyyyyy'), 'y', '"/a","/b","/c","/d","/e","/f","/g","/h","/i","/j",') || '"/a"]}]}');
SELECT evercore_event_type('Many', NULL, '{"upcast":[{"default":{"/z":0}},{"remove":[' || replace(replace('xxxxxxxxxx', 'x', 'yyyyyyyyyy'), 'y', '"/a","/b","/c","/d","/e","/f","/g","/h","/i","/j",') || '"/a"]}]}');
SELECT evercore_event_type('Many', NULL, '{"upcast":[{"remove":[' || substr(replace(replace('xxxxxxxxxx', 'x', 'yyyyyyyyyy'), 'y', '"/a","/b","/c","/d","/e","/f","/g","/h","/i","/j",'), 1, 4999) || ']}]}');

-- … and more than 65,536 bytes
SELECT evercore_event_type('Long', NULL, '{"upcast":[{"default":{"/a":"' || replace(replace(replace(replace('xxxxxxxxxxxxxxxx', 'x', 'yyyyyyyyyyyyyyyy'), 'y', 'zzzzzzzzzzzzzzzz'), 'z', 'vvvvvvvvvvvvvvvv'), 'v', 'w') || '"}}]}');
SELECT evercore_event_type('Long', NULL, '{"upcast":[{"default":{"/a":"' || substr(replace(replace(replace(replace('xxxxxxxxxxxxxxxx', 'x', 'yyyyyyyyyyyyyyyy'), 'y', 'zzzzzzzzzzzzzzzz'), 'z', 'vvvvvvvvvvvvvvvv'), 'v', 'w'), 1, 65500) || '"}}]}');

-- … and what is outside the payload profile is EV004
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"rename":{"/a":"b","/a":"c"}}]}');
SELECT evercore_event_type('Bad', NULL, '{"upcast":[{"default":{"/a":9223372036854775808}}]}');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Bad';

-- all is well with the store
SELECT * FROM evercore_check();

-- an upcast that has much to do does all of it, in order: what was taken out of an object goes not with it, new objects come last, in order, and spellings stay
SELECT evercore_event_type('Much', NULL, '{"upcast":[{"rename":{"/a":"A","/b":"B","/c":"C","/o/x":"X","/o/y":"Y"}},{"move":{"/p/q/r":"/new/deep/r","/p/q":"/new/q","/d":"/new/d"}},{"remove":["/p/s","/p"]},{"default":{"/o/z":1.50,"/new/deep/s":{"t":[]},"/there":0}},{"rename":{"/o/w":"X","/e":"E"}}]}');
SELECT evercore_upcast('Much', '{"c":1e2, "a" : "\u0061","keep":0.10,"o":{"w":5,"y":[ 1 ],"x":-0,"v":null},"p":{"q":{"r":1.0,"k":2},"s":3,"m":4},"d":{},"there":null,"e":7,"b":null}');
SELECT evercore_upcast('Much', evercore_upcast('Much', '{"c":1e2, "a" : "\u0061","keep":0.10,"o":{"w":5,"y":[ 1 ],"x":-0,"v":null},"p":{"q":{"r":1.0,"k":2},"s":3,"m":4},"d":{},"there":null,"e":7,"b":null}')) AS again;
SELECT evercore_append(evercore_ensure('Many', 'much'), 0, 'Much', '{"c":1,"a":"a","o":{"w":5,"y":[1],"x":0},"p":{"q":{"r":1,"k":2},"s":3},"d":{},"e":7,"b":null}');
SELECT evercore_state(evercore_find('Many', 'much')) AS state;
SELECT evercore_upcast('Much', '{"a":1,"b":1,"c":1,"d":1,"e":1,"o":[],"p":1,"new":{"deep":7},"x":{}}');
