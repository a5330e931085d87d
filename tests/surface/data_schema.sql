-- Schemas of data: what the data of an event type must be. The keywords are tried one by one by tests/json_schema.

-- evercore_event_type declares a schema, and gives the name; what is not given stays as it is
SELECT evercore_event_type('Deposited', NULL, '{"schema": { "type":"object", "required":["amount"],"properties":{"amount":{"type":"integer","minimum":1},"note":{"type":"string","maxLength":5}}, "additionalProperties":false } }');
SELECT evercore_event_type('Deposited', 'patch');
SELECT evercore_event_type('Deposited', NULL, '{}');
SELECT evercore_event_type('Closed', 'custom', '{"schema":false,"tags":{"by":"/by"}}');
SELECT event_type, fold, schema, upcast, tags, filled FROM evercore_event_types ORDER BY event_type;

-- data that it takes are appended by every form, and nothing is said of a type that declares none
SELECT evercore_create('Account', 'a-1');
SELECT evercore_append(1, 0, 'Deposited', '{"amount":1}'), evercore_append(1, 1, 'Deposited', '{"amount":20e0,"note":"r€nt"}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Deposited', '{"amount":3}'), (1, 'Noted', '{"amount":"x"}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":4}},{"event_type":"Deposited","data":"{\"amount\":5}"},{"event_type":"Noted","data":{}},{"event_type":"Deposited","data":{"amount":6}}]}]') AS appends;
SELECT sequence, event_type, data FROM evercore_events(1);

-- data that it does not take are EV011 with the place and the keyword, and nothing is written
SELECT evercore_append(1, 8, 'Deposited', '{"amount":0}');
SELECT evercore_append(1, 8, 'Deposited', '{}');
SELECT evercore_append(1, 8, 'Deposited', '{"amount":1,"note":"longer"}');
SELECT evercore_append(1, 8, 'Deposited', '{"amount":1.5}');
SELECT evercore_append(1, 8, 'Deposited', '{"amount":1,"a/b~c":2}');
SELECT evercore_append(1, NULL, 'Closed', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Deposited', '{"amount":-1}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":"1"}}]}]') AS appends;
SELECT evercore_sequence(1);

-- of several rows or events the first that is not taken is named, and none is written
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Deposited', '{"amount":1}'), (1, 'Deposited', '{"amount":null}');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Account', 'a-2', 'Deposited', '{"amount":1}'), ('Account', 'a-2', 'Deposited', '{"amount":0}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":1}},{"event_type":"Deposited","data":{"amount":0}},{"event_type":"Deposited","data":{"note":1}},{"event_type":"Noted","data":{}},{"event_type":"Noted","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Account","natural_key":"a-3","events":[{"event_type":"Deposited","data":{"amount":1}}]},{"aggregate_id":1,"events":[{"event_type":"Closed","data":{}}]}]') AS appends;
SELECT evercore_sequence(1), evercore_find('Account', 'a-2'), evercore_find('Account', 'a-3');

-- other refusals come first: EV004, EV005, EV009, EV002, EV001
SELECT evercore_append(1, 8, 'Deposited', '{"amount":0,"amount":1}');
SELECT evercore_append(1, 8, 'Deposited', '{"amount":0}', NULL, NULL, NULL, '');
SELECT evercore_append(1, 8, 'Deposited', '{"amount":0}', NULL, NULL, 'tomorrow');
SELECT evercore_append(99, 0, 'Deposited', '{"amount":0}');
SELECT evercore_append(1, 3, 'Deposited', '{"amount":0}');
INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES (1, 'Deposited', '{"amount":0}', 3);
SELECT evercore_append_many('[{"aggregate_id":1,"expected":3,"events":[{"event_type":"Deposited","data":{"amount":0}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":0}}]},{"aggregate_id":1,"expected":3,"events":[{"event_type":"Noted","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":0}}]},{"aggregate_id":99,"events":[{"event_type":"Noted","data":{}}]}]') AS appends;

-- so do the tags that a type declares, and the condition of the call
SELECT evercore_event_type('Tagged', NULL, '{"tags":{"t":"/t"},"schema":{"required":["n"]}}');
SELECT evercore_append(1, 8, 'Tagged', '{"t":"' || substr(replace('aaaaaaaaaaaaaaaa', 'a', '€123456789abcdef'), 1, 254) || '"}');
SELECT evercore_append(1, 8, 'Tagged', '{"t":"x"}');
SELECT evercore_append(1, 8, 'Tagged', '{"t":"x","n":1}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Tagged","data":{"t":"x"}}]}]', '[{"tags":["t:x"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Tagged","data":{"t":"y"}}]}]', '[{"tags":["t:y"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Tagged","data":{"t":"y","n":1}}]}]', '[{"tags":["t:y"]}]') AS appends;
SELECT sequence, event_type, tags FROM evercore_events(1, 8);

-- a repeat is answered before any schema is looked at, also when that was tightened meanwhile
SELECT evercore_append(1, 10, 'Deposited', '{"amount":7}', NULL, NULL, NULL, 'd-1');
SELECT evercore_event_type('Deposited', NULL, '{"schema":{"properties":{"amount":{"minimum":100}}}}');
SELECT evercore_append(1, 10, 'Deposited', '{"amount":7}', NULL, NULL, NULL, 'd-1');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'Deposited', '{"amount":7}', 'd-1');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":7},"event_id":"d-1"}]}]') AS appends;
SELECT evercore_append(1, NULL, 'Deposited', '{"amount":8}', NULL, NULL, NULL, 'd-1');
SELECT evercore_append(1, NULL, 'Deposited', '{"amount":8}', NULL, NULL, NULL, 'd-2');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":7},"event_id":"d-1"},{"event_type":"Deposited","data":{"amount":8}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"repeats":"skip","events":[{"event_type":"Deposited","data":{"amount":7},"event_id":"d-1"},{"event_type":"Deposited","data":{"amount":8}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"repeats":"skip","events":[{"event_type":"Deposited","data":{"amount":7},"event_id":"d-1"},{"event_type":"Deposited","data":{"amount":800}}]}]') AS appends;
SELECT evercore_sequence(1);

-- what is stored already is not looked at again
SELECT aggregate_id, position, problem FROM evercore_check();
SELECT evercore_state(1) AS state;

-- a declaration that changes nothing passes; another takes the place of the one before; null takes it away
SELECT evercore_event_type('Deposited', 'patch', '{"schema":{"properties":{"amount":{"minimum":100}}}}');
SELECT evercore_event_type('Deposited', NULL, '{"schema":true}');
SELECT evercore_append(1, 12, 'Deposited', '{"anything":[]}');
SELECT event_type, schema FROM evercore_event_types WHERE event_type = 'Deposited';
SELECT evercore_event_type('Deposited', NULL, '{"schema":null}');
SELECT event_type, fold, schema FROM evercore_event_types WHERE event_type IN ('Deposited', 'Tagged') ORDER BY event_type;
SELECT evercore_event_type('Tagged', NULL, '{"schema":null}');
SELECT evercore_append(1, 13, 'Tagged', '{"t":"z"}');
SELECT evercore_event_type('Never', NULL, '{"schema":null}');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Never';

-- a rename takes it along
SELECT evercore_event_type('Old', NULL, '{"schema":{"required":["a"]}}');
SELECT evercore_rename_type('event', 'Old', 'New');
SELECT evercore_append(1, 14, 'New', '{}');
SELECT evercore_append(1, 14, 'Old', '{}');

-- a declaration that is wrong is EV009 with the place of its first fault, and changes nothing
SELECT evercore_event_type('Wrong', 'patch', '{"schema":7}');
SELECT evercore_event_type('Wrong', 'patch', '{"schema":{"properties":{"a":{"type":"text"}}}}');
SELECT evercore_event_type('Wrong', 'patch', '{"schema":{"pattern":"x","type":1}}');
SELECT evercore_event_type('Wrong', NULL, '{"schemas":{}}');
SELECT evercore_event_type('Wrong', NULL, '{"schema":{"a":1,"a":1}}');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Wrong';
SELECT evercore_append(1, 15, 'Wrong', '{}');

-- evercore_validate says what an append would say of the data, NULL for nothing
SELECT evercore_event_type('Paid', NULL, '{"schema":{"required":["amount"],"properties":{"amount":{"minimum":1}}}}');
SELECT evercore_validate('Paid', '{"amount":1}') AS fault;
SELECT evercore_validate('Paid', '{"amount":0}') AS fault;
SELECT evercore_validate('Paid', '{}') AS fault;
SELECT evercore_validate('Undeclared', '{"amount":0}') AS fault;
SELECT evercore_validate('Closed', '{}') AS fault;

-- the options of a third argument are tried in place of what is declared, where they say something
SELECT evercore_validate('Paid', '{"amount":0}', '{"schema":{"maxProperties":0}}') AS fault;
SELECT evercore_validate('Paid', '{"amount":0}', '{"schema":true}') AS fault;
SELECT evercore_validate('Paid', '{"amount":0}', '{"schema":null}') AS fault;
SELECT evercore_validate('Paid', '{"amount":0}', '{}') AS fault;
SELECT evercore_validate('Paid', '{"amount":0}', NULL) AS fault;
SELECT evercore_validate('Undeclared', '{"amount":0}', '{"schema":{"properties":{"amount":{"exclusiveMinimum":0}}}}') AS fault;
SELECT event_type, schema FROM evercore_event_types WHERE event_type = 'Paid';

-- so a log can be looked through before a schema is declared
SELECT sequence, evercore_validate(event_type, data, '{"schema":{"properties":{"amount":{"minimum":4}}}}') AS fault FROM evercore_events(1)
 WHERE evercore_validate(event_type, data, '{"schema":{"properties":{"amount":{"minimum":4}}}}') IS NOT NULL ORDER BY sequence;

-- its arguments are checked: EV004 of the data, EV005 of the name, EV009 of the options
SELECT evercore_validate('Paid', '[]');
SELECT evercore_validate('Paid', '{"amount":1,"amount":2}');
SELECT evercore_validate('', '{}');
SELECT evercore_validate(NULL, '{}');
SELECT evercore_validate('Paid', NULL);
SELECT evercore_validate('Paid', '{}', '{"schema":{"type":"text"}}');
SELECT evercore_validate('Paid', '{}', '{"tags":{}}');
SELECT evercore_validate('Paid', '{}', '{"schema":{"minimum":1e400}}');
SELECT evercore_validate('Paid', '{}', '{"schemas":{}}');
SELECT evercore_validate('Paid', '{}', '[]');

-- a schema is asked of the data upcast, also where it takes them as they came
SELECT evercore_event_type('Relocated', NULL, '{"upcast":[{"rename":{"/town":"city"}}],"schema":{"properties":{"city":{"maxLength":3}}}}');
SELECT evercore_append(evercore_ensure('Shop', 'relocated'), 0, 'Relocated', '{"town":"Rome"}');
SELECT evercore_append(evercore_ensure('Shop', 'relocated'), 0, 'Relocated', '{"town":"Ulm"}');
