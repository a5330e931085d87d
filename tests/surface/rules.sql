-- Folding by rules: an array of operations on the state, in place of the name of a fold.

-- add and subtract keep a balance; a target that is absent or no number counts as 0
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]');
SELECT evercore_event_type('Withdrawn', '[{"subtract":{"/balance":"/amount"}}]');
SELECT evercore_append(evercore_ensure('Account', 'a'), 0, 'Deposited', '{"amount":100}');
SELECT evercore_append(1, 1, 'Withdrawn', '{"amount":30}');
SELECT evercore_append(1, 2, 'Opened', '{"owner":"ann","balance":"none"}');
SELECT evercore_append(1, 3, 'Deposited', '{"amount":5}');
SELECT evercore_state(1) AS state;
SELECT sequence, event_type, state FROM evercore_history(1);

-- a source that is absent, or no number, adds nothing
SELECT evercore_append(1, 4, 'Deposited', '{}');
SELECT evercore_append(1, 5, 'Deposited', '{"amount":null}');
SELECT evercore_append(1, 6, 'Deposited', '{"amount":"5"}');
SELECT evercore_state(1) AS state;

-- evercore_event_types shows rules as they were given
SELECT evercore_event_type('Spaced', ' [ {"set" : {"\/a":"/b" } } ]');
SELECT event_type, fold FROM evercore_event_types ORDER BY event_type;

-- set takes any value, null as well; a source is a pointer, through objects and by index through arrays, a value, or a field of the event
SELECT evercore_event_type('Set', '[{"set":{"/all":"","/x":"/x","/deep":"/o/list/1","/escaped":"/a~1b/m~0n","/empty":"/","/none":"/list/-","/not":"/o/list/01","/value":{"value":{"b":[1,2.50],"a":null}}}},
  {"set":{"/by":{"field":"reference"},"/at":{"field":"event_time"},"/type":{"field":"event_type"},"/n":{"field":"sequence"}}}]');
SELECT evercore_append(evercore_ensure('T', 'set'), 0, 'Set', '{"x":null,"o":{"list":["a",{"b":1}]},"a/b":{"m~n":2},"":3}', 'why', NULL, '2026-01-02T03:04:05Z');
SELECT evercore_state(evercore_find('T', 'set')) AS state;

-- a field that the event has not is absent
SELECT evercore_append(evercore_find('T', 'set'), 1, 'Set', '{"x":1}', NULL, NULL, '2026-01-02 03:04:05.678+01');
SELECT evercore_state(evercore_find('T', 'set')) AS state;

-- the target "" is the state itself, which only an object replaces
SELECT evercore_event_type('Replaced', '[{"set":{"":"/state"}},{"set":{"/replaced":{"value":true}}}]');
SELECT evercore_append(evercore_ensure('T', 'replaced'), 0, 'Opened', '{"a":1}');
SELECT evercore_append(evercore_find('T', 'replaced'), 1, 'Replaced', '{"state":[1]}');
SELECT evercore_state(evercore_find('T', 'replaced')) AS state;
SELECT evercore_append(evercore_find('T', 'replaced'), 2, 'Replaced', '{"state":{"b":{}}}');
SELECT evercore_state(evercore_find('T', 'replaced')) AS state;

-- objects on the way are made where an operation does something; nothing goes through what is no object
SELECT evercore_event_type('Way', '[{"set":{"/a/b/c":"/v"}},{"add":{"/n/m":"/v"}},{"append":{"/l/l":"/w"}},{"remove":["/q/r","/a/x"]},{"set":{"/s/t":"/v"}}]');
SELECT evercore_append(evercore_ensure('T', 'way'), 0, 'Opened', '{"s":[{"t":1}]}');
SELECT evercore_append(evercore_find('T', 'way'), 1, 'Way', '{"v":"text"}');
SELECT evercore_state(evercore_find('T', 'way')) AS state;
SELECT evercore_append(evercore_find('T', 'way'), 2, 'Opened', '{"a":null,"n":7}');
SELECT evercore_append(evercore_find('T', 'way'), 3, 'Way', '{"v":1,"w":null}');
SELECT evercore_state(evercore_find('T', 'way')) AS state;

-- append puts one element at the end of an array, which it makes where the target is absent, and does nothing to anything else
SELECT evercore_event_type('Listed', '[{"append":{"/list":"/v"}},{"append":{"/text":"/v"}}]');
SELECT evercore_append(evercore_ensure('T', 'list'), 0, 'Opened', '{"text":"t"}');
SELECT evercore_append(evercore_find('T', 'list'), 1, 'Listed', '{"v":1}');
SELECT evercore_append(evercore_find('T', 'list'), 2, 'Listed', '{"v":null}');
SELECT evercore_append(evercore_find('T', 'list'), 3, 'Listed', '{"v":[2,{"a":[]}]}');
SELECT evercore_append(evercore_find('T', 'list'), 4, 'Listed', '{}');
SELECT evercore_state(evercore_find('T', 'list')) AS state;

-- remove takes members away, and makes none on the way
SELECT evercore_event_type('Removed', '[{"remove":["/list","/o/a","/p/q","/o/n/0"]}]');
SELECT evercore_append(evercore_find('T', 'list'), 5, 'Opened', '{"o":{"a":1,"b":2,"n":[1,2]}}');
SELECT evercore_append(evercore_find('T', 'list'), 6, 'Removed', '{}');
SELECT evercore_state(evercore_find('T', 'list')) AS state;

-- merge and patch do as the folds of that name, with the object that the source is
SELECT evercore_event_type('Mixed', '[{"merge":"/m"},{"patch":"/p"},{"merge":{"value":{"v":1,"w":null}}},{"merge":{"field":"sequence"}}]');
SELECT evercore_append(evercore_ensure('T', 'mixed'), 0, 'Mixed', '{"m":{"a":{"x":null},"b":null,"c":1},"p":{"c":null,"a":{"y":2}}}');
SELECT evercore_append(evercore_find('T', 'mixed'), 1, 'Mixed', '{"m":[],"p":7}');
SELECT evercore_state(evercore_find('T', 'mixed')) AS state;

-- a token in braces is the text or the integer at that pointer: so a cart is counted
SELECT evercore_event_type('Added', '[{"add":{"/lines/{/sku}/quantity":"/quantity"}},{"set":{"/lines/{/sku}/last":"/quantity"}}]');
SELECT evercore_event_type('Dropped', '[{"remove":["/lines/{/sku}"]}]');
SELECT evercore_append(evercore_ensure('Cart', 'c'), 0, 'Added', '{"sku":"apple","quantity":2}');
SELECT evercore_append(evercore_find('Cart', 'c'), 1, 'Added', '{"sku":"a/b~c","quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 2, 'Added', '{"sku":"apple","quantity":3}');
SELECT evercore_append(evercore_find('Cart', 'c'), 3, 'Added', '{"sku":1e2,"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 4, 'Added', '{"sku":-0.0,"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 5, 'Added', '{"sku":"","quantity":1}');
SELECT evercore_state(evercore_find('Cart', 'c')) AS state;
SELECT evercore_append(evercore_find('Cart', 'c'), 6, 'Dropped', '{"sku":"a/b~c"}');
SELECT evercore_append(evercore_find('Cart', 'c'), 7, 'Dropped', '{"sku":100}');
SELECT evercore_state(evercore_find('Cart', 'c')) AS state;

-- … and where it is neither nothing happens
SELECT evercore_append(evercore_find('Cart', 'c'), 8, 'Added', '{"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 9, 'Added', '{"sku":null,"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 10, 'Added', '{"sku":1.5,"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 11, 'Added', '{"sku":1e19,"quantity":1}');
SELECT evercore_append(evercore_find('Cart', 'c'), 12, 'Added', '{"sku":{"a":1},"quantity":1}');
SELECT evercore_state(evercore_find('Cart', 'c')) AS state;

-- integers add exactly within int64, however they are spelled
SELECT evercore_event_type('Plus', '[{"add":{"/n":"/n"}}]');
SELECT evercore_event_type('Minus', '[{"subtract":{"/n":"/n"}}]');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('N', 'max', 'Plus', '{"n":9223372036854775806}'), ('N', 'max', 'Plus', '{"n":10e-1}'),
  ('N', 'min', 'Minus', '{"n":9223372036854775807}'), ('N', 'min', 'Minus', '{"n":1.0}'),
  ('N', 'odd', 'Plus', '{"n":9007199254740993}'), ('N', 'odd', 'Plus', '{"n":1e2}'),
  ('N', 'least', 'Plus', '{"n":-9223372036854775808}'), ('N', 'least', 'Minus', '{"n":-9223372036854775808}');
SELECT natural_key, evercore_state(aggregate_id) AS state FROM evercore_aggregates WHERE aggregate_type = 'N' ORDER BY aggregate_id;

-- … what leaves int64, and all else, adds as doubles; the sum is what it is spelled as, also where a fold goes on from a snapshot
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('D', 'over', 'Plus', '{"n":9223372036854775807}'), ('D', 'over', 'Plus', '{"n":1}'),
  ('D', 'under', 'Minus', '{"n":-9223372036854775808}'),
  ('D', 'tenths', 'Plus', '{"n":0.1}'), ('D', 'tenths', 'Plus', '{"n":0.2}'),
  ('D', 'halves', 'Plus', '{"n":1.5}'), ('D', 'halves', 'Plus', '{"n":1.5}'),
  ('D', 'odd', 'Plus', '{"n":9007199254740993}'), ('D', 'odd', 'Plus', '{"n":0.5}'),
  ('D', 'long', 'Plus', '{"n":1234567890123456789}'), ('D', 'long', 'Plus', '{"n":0.5}'),
  ('D', 'big', 'Plus', '{"n":1e300}'), ('D', 'big', 'Plus', '{"n":1e19}'),
  ('D', 'infinite', 'Plus', '{"n":1e308}'), ('D', 'infinite', 'Plus', '{"n":1e308}'), ('D', 'infinite', 'Minus', '{"n":0.5e308}'),
  ('D', 'tiny', 'Plus', '{"n":1e-400}'), ('D', 'tiny', 'Minus', '{"n":0.0}'),
  ('D', 'least', 'Plus', '{"n":5e-324}'), ('D', 'least', 'Plus', '{"n":5e-324}');
SELECT natural_key, evercore_state(aggregate_id) AS state FROM evercore_aggregates WHERE aggregate_type = 'D' ORDER BY aggregate_id;
SELECT evercore_snapshot(evercore_find('D', 'over')), evercore_snapshot(evercore_find('D', 'long'));
SELECT evercore_append(evercore_find('D', 'over'), 2, 'Minus', '{"n":1}'), evercore_append(evercore_find('D', 'long'), 2, 'Plus', '{"n":1}');
SELECT evercore_state(evercore_find('D', 'over')) AS state;
SELECT evercore_state(evercore_find('D', 'long')) AS state;

-- operations go in order, and within one in the order of its members
SELECT evercore_event_type('Ordered', '[{"set":{"/b":"/v","/b/c":"/w","/a":{"value":1}}},{"add":{"/a":"/n"}},{"set":{"/b/d":"/n"}}]');
SELECT evercore_append(evercore_ensure('T', 'ordered'), 0, 'Ordered', '{"v":{},"w":3,"n":4}');
SELECT evercore_state(evercore_find('T', 'ordered')) AS state;

-- the empty array of rules, and an operation without targets, change nothing
SELECT evercore_event_type('Nothing', '[]'), evercore_event_type('Empty', '[{"set":{}},{"remove":[]}]');
SELECT evercore_append(evercore_find('T', 'ordered'), 1, 'Nothing', '{"a":1}'), evercore_append(evercore_find('T', 'ordered'), 2, 'Empty', '{"a":1}');
SELECT evercore_state(evercore_find('T', 'ordered')) AS state;

-- 'merge' and [{"merge":""}] are the same, and the one in the place of the other is no change
SELECT evercore_event_type('Opened', '[{"merge":""}]');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Opened';
SELECT evercore_snapshot(1);
SELECT evercore_event_type('Deposited', '[ {"add": {"\u002fbalance": "\/amount"}} ]');
SELECT sequence, event_type FROM evercore_replay(1);

-- other rules make other states, and drop the engine snapshots of the old ones
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount","/deposits":{"value":1}}}]');
SELECT sequence, event_type FROM evercore_replay(1) WHERE event_type IS NULL;
SELECT evercore_state(1) AS state;

-- compaction folds by rules, and then they stay as they are: EV010
SELECT evercore_compact(1, 1);
SELECT evercore_state(1) AS state;
SELECT evercore_event_type('Deposited', 'patch');
SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]');
SELECT evercore_event_type('Deposited', ' [{"add":{"/balance":"/amount"}}, {"add":{"/deposits":{"value":1}}}] ');

-- a policy's snapshots hold what rules gave
SELECT evercore_snapshot_policy('Policy', 2, 1);
SELECT evercore_append_many('[{"aggregate_type":"Policy","natural_key":"p","events":[{"event_type":"Plus","data":{"n":1}},{"event_type":"Plus","data":{"n":0.5}}]}]') AS appends;
SELECT sequence, event_type, data FROM evercore_replay(evercore_find('Policy', 'p'));

-- erasure leaves no state
SELECT evercore_event_type('Stamped', '[{"set":{"/type":{"field":"event_type"},"/v":{"value":1}}}]');
SELECT evercore_append(evercore_ensure('T', 'erased'), 0, 'Stamped', '{}');
SELECT evercore_erase(evercore_find('T', 'erased'));
SELECT state FROM evercore_history(24);

-- a renamed type says its name of today
SELECT evercore_append(evercore_ensure('T', 'stamped'), 0, 'Stamped', '{}');
SELECT evercore_snapshot(evercore_find('T', 'stamped'));
SELECT evercore_rename_type('event', 'Stamped', 'Marked');
SELECT evercore_state(evercore_find('T', 'stamped')) AS state;

-- what is no rules: the first fault, with a pointer to it
SELECT evercore_event_type('Bad', '[1]');
SELECT evercore_event_type('Bad', '[{}]');
SELECT evercore_event_type('Bad', '[{"set":{}},{"set":{},"add":{}}]');
SELECT evercore_event_type('Bad', '[{"put/it":{}}]');
SELECT evercore_event_type('Bad', '[{"set":["/a"]}]');
SELECT evercore_event_type('Bad', '[{"append":"/a"}]');
SELECT evercore_event_type('Bad', '[{"remove":{"/a":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":"/a","b/c":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"add":{"":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a~":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/{/a":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/{a}":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/{/a}b}":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"remove":["/a",7]}]');
SELECT evercore_event_type('Bad', '[{"remove":["/a",""]}]');
SELECT evercore_event_type('Bad', '[{"remove":["/a","/b","/a"]}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a~1b":"a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":"/~2"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":null}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{}}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"value":1,"field":"sequence"}}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"member":1}}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"field":"position"}}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"field":1}}}]');
SELECT evercore_event_type('Bad', '[{"merge":{"value":1},"x":1}]');
SELECT evercore_event_type('Bad', '[{"merge":7}]');
SELECT evercore_event_type('Bad', '[{"patch":{"/a":"/a"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/b":7}},{"set":{"a":"/a"}}]');

-- … after what is outside the payload profile
SELECT evercore_event_type('Bad', '[{"set":{"/a":"/a"}}');
SELECT evercore_event_type('Bad', '[{"set":{"/a":"/a","\/a":"/b"}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"value":9223372036854775808}}}]');
SELECT evercore_event_type('Bad', '[{"set":{"/a":{"value":"\u0000"}}}]');

-- braces that are none are names, a target in braces may be all of the data, and no name that begins with a brace can be said
SELECT evercore_event_type('Braces', '[{"set":{"/a{b}":"/v","/c}":"/v","/{}":"/v","/{/d}/e}":"/v"}}]');
SELECT evercore_append(evercore_ensure('T', 'braces'), 0, 'Braces', '{"v":1,"d":"{d}"}');
SELECT evercore_state(evercore_find('T', 'braces')) AS state;

-- a name that is no fold is none
SELECT evercore_event_type('Bad', 'rules');
SELECT evercore_event_type('Bad', '{"set":{}}');
SELECT count(*) FROM evercore_event_types WHERE event_type = 'Bad';

-- all is well with the store
SELECT * FROM evercore_check();
