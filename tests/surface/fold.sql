-- Folding events into a state: merge, patch and custom, declared once per event type.

-- the state before the first event is {}
SELECT evercore_create('User', 'ann');
SELECT evercore_state(1) AS state;

-- merge is the default: each member of data replaces the state's member of that name
SELECT evercore_append(1, 0, 'Registered', '{"name":"Ann","mail":"ann@example.org","visits":0}');
SELECT evercore_append(1, 1, 'Moved', '{"address":{"street":"Elm 3","city":{"name":"Ulm","zip":89073}}}');
SELECT evercore_state(1) AS state;

-- … whole: an object inside is replaced, not merged, and keeps the nulls inside it
SELECT evercore_append(1, 2, 'Moved', '{"address":{"street":"Oak 9","floor":null}}');
SELECT evercore_state(1) AS state;

-- … but for null members and absent ones, which leave the state as it is
SELECT evercore_append(1, 3, 'Edited', '{"name":null,"visits":1,"nick":null}');
SELECT evercore_append(1, 4, 'Pinged', '{}');
SELECT evercore_state(1) AS state;

-- a member may change its kind, and false, 0, "", [] and {} are values like any other
SELECT evercore_append(1, 5, 'Edited', '{"address":false,"visits":"","name":[],"mail":{}}');
SELECT evercore_state(1) AS state;

-- evercore_state(id, at_sequence) is the state as it was; before the first event it is {}
SELECT evercore_state(1, 0) AS state;
SELECT evercore_state(1, 1) AS state;
SELECT evercore_state(1, 3) AS state;
SELECT evercore_state(1, 6) AS state;
SELECT evercore_state(1, NULL) AS state;

-- … above the head it is EV002
SELECT evercore_state(1, 7) AS state;

-- … below 0 there is nothing to ask for
SELECT evercore_state(1, -1) AS state;

-- an aggregate that does not exist is EV002
SELECT evercore_state(99) AS state;
SELECT evercore_state(evercore_find('User', 'nobody')) AS state;

-- evercore_event_type declares how a type of event folds, and gives its name
SELECT evercore_event_type('ProfilePatched', 'patch');
SELECT evercore_event_type('AuditNoted', 'custom');
SELECT evercore_event_type('Registered', 'merge');

-- patch is JSON Merge Patch (RFC 7396): objects merge member by member, null removes, all else replaces
SELECT evercore_ensure('User', 'bob');
SELECT evercore_append(2, 0, 'Registered', '{"name":"Bob","tags":["a","b"],"address":{"city":"Ulm","zip":"89073"}}');
SELECT evercore_append(2, 1, 'ProfilePatched', '{"address":{"zip":null,"street":"Elm 3"},"tags":["c"],"age":41}');
SELECT evercore_state(2) AS state;
SELECT evercore_append(2, 2, 'ProfilePatched', '{"tags":null,"address":{"street":null,"city":null},"missing":null}');
SELECT evercore_state(2) AS state;

-- … an object that meets something else replaces it, without its nulls at any depth; those in arrays stay
SELECT evercore_append(2, 3, 'ProfilePatched', '{"age":{"years":41,"months":null,"since":{"day":null,"list":[null,{"x":null}]}}}');
SELECT evercore_state(2) AS state;
SELECT evercore_append(2, 4, 'ProfilePatched', '{"age":"old","new":{"a":{"b":null}}}');
SELECT evercore_state(2) AS state;

-- merge and patch fold into one state, in order
SELECT evercore_append(2, 5, 'Moved', '{"address":{"city":"Bonn","zip":null}}');
SELECT evercore_append(2, 6, 'ProfilePatched', '{"address":{"zip":"53113"},"new":null}');
SELECT evercore_state(2) AS state;

-- custom is for the application's own code: the engine's fold passes over it
SELECT evercore_append(2, 7, 'AuditNoted', '{"name":"Mallory","note":"x"}');
SELECT evercore_state(2) AS state;

-- evercore_history shows each step
SELECT sequence, event_type, state FROM evercore_history(2) WHERE sequence IN (1, 2, 6, 7, 8);

-- a name is what it says, however it is escaped, and may hold any character
SELECT evercore_append(evercore_ensure('Names', 'odd'), 0, 'Set', '{"a":1,"":2,"x.y":3,"$z":4,"say \"hi\"":5,"é":6,"a b":7}');
SELECT evercore_append(evercore_find('Names', 'odd'), 1, 'Set', '{"\u0061":10,"":20,"x.y":30,"\u0024z":40,"say \u0022hi\u0022":50,"\u00e9":60}');
SELECT evercore_state(evercore_find('Names', 'odd')) AS state;

-- numbers keep their value: the whole of int64, fractions, exponents
SELECT evercore_append(evercore_ensure('Numbers', 'n'), 0, 'Set', '{"max":9223372036854775807,"min":-9223372036854775808,"half":0.5,"big":1e300,"tiny":-2.5E-7}');
SELECT evercore_append(evercore_find('Numbers', 'n'), 1, 'ProfilePatched', '{"half":1.25,"list":[1,2.0,3e2]}');
SELECT evercore_state(evercore_find('Numbers', 'n')) AS state;

-- text keeps its characters, the astral and the controlling ones
SELECT evercore_append(evercore_ensure('Texts', 't'), 0, 'Set', '{"smile":"\ud83d\ude00 😀","lines":"a\nb\tc","quote":"\"\\\/"}');
SELECT evercore_state(evercore_find('Texts', 't')) AS state;

-- a state is JSON: its members can be taken out
SELECT evercore_state(2) ->> 'name', evercore_state(2) -> 'address' ->> 'city';

-- changing the fold changes the states, and drops the engine snapshots that the old fold made
SELECT evercore_append(evercore_ensure('Doc', 'd'), 0, 'DocSet', '{"title":"A","meta":{"pages":3}}');
SELECT evercore_append(evercore_find('Doc', 'd'), 1, 'DocSet', '{"title":null,"meta":{"author":"ann"}}');
SELECT evercore_snapshot(evercore_find('Doc', 'd'));
SELECT evercore_snapshot(1);
SELECT evercore_state(evercore_find('Doc', 'd')) AS state;
SELECT evercore_event_type('DocSet', 'patch');
SELECT evercore_state(evercore_find('Doc', 'd')) AS state;

-- … of the aggregates that have such events: others keep theirs
SELECT value FROM evercore_stats() WHERE name = 'snapshots';
SELECT sequence FROM evercore_replay(1);
SELECT sequence, event_type FROM evercore_replay(evercore_find('Doc', 'd'));

-- declaring it again as it is changes nothing
SELECT evercore_snapshot(evercore_find('Doc', 'd'));
SELECT evercore_event_type('DocSet', 'patch');
SELECT value FROM evercore_stats() WHERE name = 'snapshots';

-- where an aggregate with such events was compacted, the fold stays as it is: EV010
SELECT evercore_compact(evercore_find('Doc', 'd'), 1);
SELECT evercore_event_type('DocSet', 'merge');
SELECT evercore_state(evercore_find('Doc', 'd')) AS state;

-- … also that of a type which came only after the events that were removed
SELECT evercore_append(evercore_find('Doc', 'd'), 2, 'DocTagged', '{"tag":null,"n":1}');
SELECT evercore_event_type('DocTagged', 'patch');
SELECT evercore_event_type('DocNeverUsed', 'patch');

-- a fold is one of three words, or rules
SELECT evercore_event_type('Moved', 'replace');
SELECT evercore_event_type('Moved', 'Merge');

-- … and NULL leaves it as it is
SELECT evercore_event_type('ProfilePatched', NULL), evercore_event_type('ProfilePatched');
SELECT fold FROM evercore_event_types WHERE event_type = 'ProfilePatched';

-- … of a type with a name
SELECT evercore_event_type(NULL, 'merge');
SELECT evercore_event_type('', 'merge');

-- all is well with the store
SELECT * FROM evercore_check();
