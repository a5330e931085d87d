-- Schemas of states: what the state of an aggregate must be after each event.

-- evercore_aggregate_type declares a schema, and gives the name; what is not given stays as it is
SELECT evercore_aggregate_type('Account', '{"schema": { "required":["balance"], "properties":{"balance":{"minimum":0}} } }');
SELECT evercore_aggregate_type('Account');
SELECT evercore_aggregate_type('Account', NULL);
SELECT evercore_aggregate_type('Account', '{}');
SELECT evercore_snapshot_policy('Account', 100, 2);
SELECT evercore_snapshot_policy('Order', 10, 3);
SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled FROM evercore_aggregate_types ORDER BY aggregate_type;
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]');
SELECT evercore_event_type('Withdrawn', '[{"subtract":{"/balance":"/amount"}}]');
SELECT evercore_event_type('Charged', '[{"subtract":{"/balance":"/fee"}}]', '{"schema":{"required":["fee"]},"tags":{"by":"/by"}}');

-- events after which the state is right are appended by every form
SELECT evercore_create('Account', 'A-1'), evercore_create('Account'), evercore_create('Account', 'A-2'), evercore_create('Door', 'd'), evercore_create('Cart', 'c'), evercore_create('Account', 'A-4'), evercore_create('Door', 'e'), evercore_create('Door', 'f');
SELECT evercore_append(1, 0, 'Deposited', '{"amount":100}'), evercore_append(1, 1, 'Withdrawn', '{"amount":40}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Withdrawn', '{"amount":60}'), (1, 'Deposited', '{"amount":5.5}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":5}},{"event_type":"Deposited","data":{"amount":1e2}}]},{"aggregate_type":"Account","natural_key":"A-2","events":[{"event_type":"Deposited","data":{"amount":1}},{"event_type":"Deposited","data":{"amount":2}},{"event_type":"Withdrawn","data":{"amount":3}},{"event_type":"Deposited","data":{"amount":4}},{"event_type":"Charged","data":{"fee":0,"by":"ann"}}]}]') AS appends;
SELECT evercore_state(1) AS state;
SELECT evercore_state(3) AS state;

-- an event after which it is not is EV011 with the type, the key or else the id, the sequence, the place and the keyword; nothing is written
SELECT evercore_append(1, 6, 'Withdrawn', '{"amount":101}');
SELECT evercore_append(1, NULL, 'Deposited', '{"amount":-200}');
SELECT evercore_append(2, 0, 'Withdrawn', '{"amount":1}');
SELECT evercore_append(2, 0, 'Noted', '{"text":"x"}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Withdrawn', '{"amount":101}');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Account', 'A-3', 'Withdrawn', '{"amount":1}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":101}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Account","natural_key":"A-3","events":[{"event_type":"Withdrawn","data":{"amount":1}}]}]') AS appends;
SELECT evercore_sequence(1), evercore_sequence(2), evercore_find('Account', 'A-3');
SELECT count(*) FROM evercore_log;

-- it is looked at after each event of a call or a statement, and none of them is written
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":101}},{"event_type":"Deposited","data":{"amount":1000}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Deposited","data":{"amount":1}},{"event_type":"Withdrawn","data":{"amount":60}},{"event_type":"Withdrawn","data":{"amount":60}},{"event_type":"Deposited","data":{"amount":60}},{"event_type":"Deposited","data":{"amount":60}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":60}}]},{"aggregate_id":3,"events":[{"event_type":"Withdrawn","data":{"amount":4}}]},{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":60}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Withdrawn","data":{"amount":5}}]},{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":160}}]}]') AS appends;
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Withdrawn', '{"amount":60}'), (1, 'Withdrawn', '{"amount":60}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Withdrawn', '{"amount":60}'), (3, 'Withdrawn', '{"amount":1}'), (1, 'Withdrawn', '{"amount":60}'), (1, 'Deposited', '{"amount":60}');
SELECT evercore_sequence(1), evercore_sequence(3);
SELECT evercore_state(1) AS state;

-- … and so it is within one transaction
BEGIN;
SELECT evercore_append(1, 6, 'Withdrawn', '{"amount":60}'), evercore_append(1, 7, 'Deposited', '{"amount":20}'), evercore_append(1, 8, 'Withdrawn', '{"amount":20}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'Withdrawn', '{"amount":20}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":20}}]}]')->0->>'sequence';
SELECT evercore_append(1, NULL, 'Withdrawn', '{"amount":0.5000001}');
ROLLBACK;
SELECT evercore_append(1, 6, 'Withdrawn', '{"amount":60}');
SELECT evercore_append(1, 7, 'Withdrawn', '{"amount":60}');
SELECT evercore_append(1, 7, 'Deposited', '{"amount":60}');

-- a custom event changes nothing that the engine can see, but the state is looked at
SELECT evercore_event_type('Reviewed', 'custom');
SELECT evercore_append(1, 8, 'Reviewed', '{"balance":-1}');
SELECT evercore_append(2, 0, 'Reviewed', '{"balance":7}');
SELECT evercore_append(1, 9, 'Withdrawn', '{"amount":101}');
SELECT evercore_state(1) AS state;

-- other refusals come first: EV004, EV005, EV009, EV002, EV001, then EV011 of the data, of any event of a call
SELECT evercore_append(1, 9, 'Withdrawn', '{"amount":101,"amount":101}');
SELECT evercore_append(1, 9, 'Withdrawn', '{"amount":101}', NULL, NULL, NULL, '');
SELECT evercore_append(1, 9, 'Withdrawn', '{"amount":101}', NULL, NULL, 'tomorrow');
SELECT evercore_append(99, 0, 'Withdrawn', '{"amount":101}');
SELECT evercore_append(1, 3, 'Withdrawn', '{"amount":101}');
INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES (1, 'Withdrawn', '{"amount":101}', 3);
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":101}}]},{"aggregate_id":3,"expected":0,"events":[{"event_type":"Deposited","data":{"amount":1}}]}]') AS appends;
SELECT evercore_append(2, 0, 'Charged', '{}');
SELECT evercore_append(2, 0, 'Charged', '{"fee":1,"by":"ann"}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Charged","data":{"fee":101}},{"event_type":"Charged","data":{}}]}]') AS appends;
SELECT evercore_append(1, 9, 'Charged', '{"fee":1,"by":"ann"}');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Charged","data":{"fee":101}}]}]', '[{"tags":["by:ann"]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Charged","data":{"fee":101}}]}]', '[{"tags":["by:bob"]}]') AS appends;

-- a repeat is answered before any state is looked at
SELECT evercore_append(1, 10, 'Withdrawn', '{"amount":90}', NULL, NULL, NULL, 'w-1');
SELECT evercore_append(1, 10, 'Withdrawn', '{"amount":90}', NULL, NULL, NULL, 'w-1');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'Withdrawn', '{"amount":90}', 'w-1');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Withdrawn","data":{"amount":90},"event_id":"w-1"}]}]')->0->>'sequence';
SELECT evercore_append(1, NULL, 'Withdrawn', '{"amount":90}', NULL, NULL, NULL, 'w-2');
SELECT evercore_append_many('[{"aggregate_id":1,"repeats":"skip","events":[{"event_type":"Withdrawn","data":{"amount":90},"event_id":"w-1"},{"event_type":"Withdrawn","data":{"amount":10},"event_id":"w-2"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"repeats":"skip","events":[{"event_type":"Withdrawn","data":{"amount":90},"event_id":"w-1"},{"event_type":"Withdrawn","data":{"amount":9},"event_id":"w-2"}]}]')->0->>'sequence';
SELECT evercore_state(1) AS state;

-- what rules read of an event besides its data is what is stored
SELECT evercore_event_type('Seen', '[{"set":{"/seen":{"field":"event_time"},"/by":{"field":"reference"},"/type":{"field":"event_type"},"/at":{"field":"sequence"}}}]');
SELECT evercore_aggregate_type('Door', '{"schema":{"properties":{"seen":{"format":"date-time"},"by":{"maxLength":3},"at":{"maximum":4},"type":{"const":"Seen"}}}}');
SELECT evercore_append(4, 0, 'Seen', '{}', 'ann', NULL, '2026-01-02T03:04:05Z');
SELECT evercore_append(4, 1, 'Seen', '{}', 'anne');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (4, 'Seen', '{}'), (4, 'Seen', '{}');
SELECT evercore_append_many('[{"aggregate_id":4,"events":[{"event_type":"Seen","data":{},"reference":"bob","event_time":"2026-02-02"},{"event_type":"Seen","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":4,"events":[{"event_type":"Seen","data":{},"reference":"bob","event_time":"2026-02-02"}]}]')->0->>'sequence';
SELECT evercore_state(4) AS state;
SELECT aggregate_id, position, problem FROM evercore_check();

-- what is stored already is not looked at: a wrong state refuses the next append unless that makes it right
SELECT evercore_append(5, 0, 'Opened', '{"items":-3,"owner":"ann"}');
SELECT evercore_aggregate_type('Cart', '{"schema":{"properties":{"items":{"minimum":0}}}}');
SELECT evercore_append(5, 1, 'Opened', '{"owner":"bob"}');
SELECT evercore_append_many('[{"aggregate_id":5,"events":[{"event_type":"Opened","data":{"owner":"bob"}},{"event_type":"Opened","data":{"items":3}}]}]') AS appends;
SELECT evercore_append(5, 1, 'Opened', '{"items":3}'), evercore_append(5, 2, 'Opened', '{"owner":"bob"}');
SELECT evercore_state(5) AS state;

-- another schema takes the place of the one before, also for what is there; null takes it away
SELECT evercore_aggregate_type('Cart', '{"schema":{"properties":{"items":{"minimum":4}}}}');
SELECT evercore_append(5, 3, 'Opened', '{"owner":"eve"}');
SELECT evercore_aggregate_type('Cart', '{"schema":{"properties":{"items":{"minimum":4}}}}');
SELECT evercore_aggregate_type('Cart', '{"schema":null}');
SELECT evercore_aggregate_type('Cart', '{"schema":null}');
SELECT evercore_append(5, 3, 'Opened', '{"items":-5}');
SELECT evercore_aggregate_type('Cart', '{"schema":{"properties":{"items":{"maximum":-5}}}}');
SELECT evercore_append(5, 4, 'Opened', '{"owner":"eve"}');
SELECT evercore_append(5, 5, 'Opened', '{"items":-4}');
SELECT evercore_aggregate_type('Never', '{"schema":null}'), evercore_aggregate_type('Never');
SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled FROM evercore_aggregate_types ORDER BY aggregate_type;

-- another fold of an event type is the fold of what is kept too
SELECT evercore_append(6, 0, 'Deposited', '{"amount":10}');
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}},{"add":{"/deposits":{"value":1}}}]');
SELECT evercore_append(6, 1, 'Deposited', '{"amount":10}');
SELECT evercore_state(6) AS state;
SELECT evercore_event_type('Withdrawn', '[{"subtract":{"/balance":"/amount"}},{"subtract":{"/balance":{"value":1}}}]');
SELECT evercore_append(6, 2, 'Withdrawn', '{"amount":20}');
SELECT evercore_append(6, 2, 'Withdrawn', '{"amount":19}');
SELECT evercore_event_type('Withdrawn', '[{"subtract":{"/balance":"/amount"}}]');
SELECT evercore_append(6, 3, 'Withdrawn', '{"amount":2}');
SELECT evercore_append(6, 3, 'Withdrawn', '{"amount":1}');
SELECT aggregate_id, position, problem FROM evercore_check();

-- so is another upcast, and states are looked at as data are upcast
SELECT evercore_append(6, 4, 'Renamed', '{"title":"Dr"}');
SELECT evercore_event_type('Renamed', NULL, '{"upcast":[{"rename":{"/title":"balance"}}]}');
SELECT evercore_append(6, 5, 'Deposited', '{"amount":1}');
SELECT evercore_state(6) AS state;
SELECT evercore_append(6, 6, 'Renamed', '{"title":-1}');
SELECT evercore_append_many('[{"aggregate_id":6,"events":[{"event_type":"Renamed","data":{"title":7}},{"event_type":"Withdrawn","data":{"amount":8}}]}]') AS appends;
SELECT evercore_event_type('Renamed', NULL, '{"upcast":null}');
SELECT evercore_append(6, 6, 'Withdrawn', '{"amount":2}');
SELECT evercore_append(6, 6, 'Renamed', '{"title":-1}');
SELECT aggregate_id, position, problem FROM evercore_check();

-- compaction changes no state, and an erased aggregate has none
SELECT evercore_append(7, 0, 'Opened', '{"by":"x"}'), evercore_append(7, 1, 'Opened', '{"by":"y"}');
SELECT evercore_compact(7, 0);
SELECT evercore_append(7, 2, 'Opened', '{"by":"long"}');
SELECT evercore_append(7, 2, 'Opened', '{"room":1}');
SELECT evercore_state(7) AS state;
SELECT evercore_erase(7);
SELECT evercore_append(7, 3, 'Opened', '{"by":"long"}');
SELECT aggregate_id, position, problem FROM evercore_check();

-- a policy stores snapshots as before
SELECT evercore_snapshot_policy('Door', 2, 1);
SELECT evercore_append(8, 0, 'Opened', '{"by":"x"}'), evercore_append(8, 1, 'Opened', '{"by":"y"}');
SELECT evercore_append_many('[{"aggregate_type":"Door","natural_key":"f","events":[{"event_type":"Opened","data":{"by":"z"}},{"event_type":"Opened","data":{"by":"a"}},{"event_type":"Opened","data":{"by":"b"}}]}]')->0->>'sequence';
SELECT sequence, event_type, data FROM evercore_replay(8);
SELECT aggregate_id, position, problem FROM evercore_check();

-- a rename takes the schema along, and what rules made of the name of an event type is made anew
SELECT evercore_rename_type('aggregate', 'Door', 'Gate');
SELECT evercore_append(8, 5, 'Opened', '{"by":"long"}');
SELECT evercore_append(evercore_ensure('Door', 'f'), 0, 'Opened', '{"by":"long"}');
SELECT evercore_append(8, 5, 'Seen', '{}');
SELECT evercore_append(8, 5, 'Opened', '{"at":1}');
SELECT evercore_append(4, 4, 'Opened', '{"by":"x"}');
SELECT evercore_rename_type('event', 'Seen', 'Met');
SELECT evercore_append(4, 5, 'Opened', '{"by":"y"}');
SELECT evercore_append(4, 5, 'Opened', '{"type":"Seen"}');
SELECT aggregate_id, position, problem FROM evercore_check();

-- a declaration that is rolled back is none
BEGIN;
SELECT evercore_aggregate_type('Basket', '{"schema":false}');
ROLLBACK;
SELECT evercore_append(evercore_ensure('Basket', 'b'), 0, 'Opened', '{}');
SELECT evercore_aggregate_type('Basket', '{"schema":false}');
SELECT evercore_append(evercore_find('Basket', 'b'), 1, 'Opened', '{}');

-- a declaration that is wrong is EV009 with the place of its first fault, and changes nothing
SELECT evercore_aggregate_type('Wrong', '{"schema":7}');
SELECT evercore_aggregate_type('Wrong', '{"schema":{"properties":{"a":{"type":"text"}}}}');
SELECT evercore_aggregate_type('Wrong', '{"schema":{"pattern":"x","type":1}}');
SELECT evercore_aggregate_type('Wrong', '{"schemas":{}}');
SELECT evercore_aggregate_type('Wrong', '{"tags":{}}');
SELECT evercore_aggregate_type('Wrong', '{"schema":{"a":1,"a":1}}');
SELECT evercore_aggregate_type('Wrong', '[]');
SELECT evercore_aggregate_type('Wrong', 'schema');
SELECT evercore_aggregate_type('', '{}');
SELECT evercore_aggregate_type(NULL, '{}');
SELECT count(*) FROM evercore_aggregate_types WHERE aggregate_type = 'Wrong';
SELECT evercore_find('Wrong', 'w'), evercore_append(evercore_ensure('Wrong', 'w'), 0, 'Opened', '{}');

-- a type keeps nothing and is not among the relation where it declares neither a schema nor a policy
SELECT evercore_snapshot_policy('Order', 0, 1);
SELECT evercore_aggregate_type('Basket', '{"schema":null}');
SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled FROM evercore_aggregate_types ORDER BY aggregate_type;

-- nothing is left to keep
SELECT evercore_fill(), evercore_fill(5);
