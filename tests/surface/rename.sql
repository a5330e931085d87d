-- evercore_rename_type gives an event type or an aggregate type another name, everywhere at once.

-- a store with events, a fold, a policy and filters that name types
SELECT evercore_event_type('Moved', 'patch');
SELECT evercore_snapshot_policy('User', 2, 1);
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('User', 'ann', 'Created', '{"name":"Ann","city":"Rome"}', 'e-1'), ('User', 'ann', 'Moved', '{"city":null,"at":{"x":1}}', 'e-2'),
  ('User', 'ann', 'Moved', '{"at":{"y":2}}', NULL);
SELECT evercore_subscribe('moves', '{"aggregate_type":"User","natural_key":"ann","event_types":["Created","Moved"]}');
SELECT evercore_subscribe('all');

-- an event type
SELECT evercore_rename_type('event', 'Moved', 'Address"Changed');
SELECT sequence, event_type, data, event_id FROM evercore_log ORDER BY position;
SELECT name, filter, lag_events FROM evercore_subscriptions ORDER BY name;

-- … its fold goes with it, and what is folded stays
SELECT evercore_state(1) AS state;
SELECT evercore_append(1, 3, 'Address"Changed', '{"at":{"x":null}}');
SELECT evercore_state(1) AS state;

-- an aggregate type: keys, ids and the policy stay
SELECT evercore_rename_type('aggregate', 'User', 'Person');
SELECT evercore_find('User', 'ann'), evercore_find('Person', 'ann');
SELECT DISTINCT aggregate_type FROM evercore_log;
SELECT name, filter, lag_events FROM evercore_subscriptions ORDER BY name;
SELECT evercore_append(evercore_ensure('Person', 'ann'), 4, 'Created', '{"n":1}'), evercore_append(1, 5, 'Created', '{"n":2}');
SELECT sequence, data AS state FROM evercore_replay(1) WHERE event_type IS NULL;

-- a worker reads on by the new names
SELECT evercore_claim('moves', 'w', 30);
SELECT position, aggregate_type, event_type FROM evercore_fetch('moves', 1);
SELECT evercore_ack('moves', 1, 6);

-- compacted events count under the new name: their fold can no longer be changed
SELECT evercore_unsubscribe('all');
SELECT evercore_compact(1, 1);
SELECT evercore_event_type('Address"Changed', 'merge');
SELECT evercore_rename_type('event', 'Address"Changed', 'Moved');
SELECT evercore_event_type('Moved', 'merge');
SELECT evercore_state(1) AS state;

-- the old name is free again, and the new one is taken
SELECT evercore_append(evercore_ensure('User', 'bob'), 0, 'Address"Changed', '{}');
SELECT evercore_rename_type('event', 'Moved', 'Address"Changed');
SELECT evercore_rename_type('aggregate', 'Person', 'User');
SELECT evercore_rename_type('event', 'Moved', 'Moved');

-- … also by a filter that waits for it
SELECT evercore_subscribe('waiting', '{"aggregate_type":"Robot"}');
SELECT evercore_rename_type('aggregate', 'Person', 'Robot');

-- an event type that a filter has named is known, also when the filter is gone or another
SELECT evercore_subscribe('gone', '{"event_types":["Awaited","Other"]}'), evercore_unsubscribe('gone');
SELECT evercore_rename_type('event', 'Awaited', 'Expected');
SELECT evercore_rename_type('event', 'Expected', 'Other');
SELECT evercore_subscribe('waiting', '{"event_types":["Hoped"]}'), evercore_subscribe('waiting', '{"aggregate_type":"Robot"}');
SELECT evercore_rename_type('event', 'Moved', 'Hoped');
SELECT evercore_rename_type('event', 'Hoped', 'Wished');

-- what is not there, is no kind or no name
SELECT evercore_rename_type('event', 'Never', 'Ever');
SELECT evercore_rename_type('aggregate', 'Never', 'Ever');
SELECT evercore_rename_type('subscription', 'moves', 'm');
SELECT evercore_rename_type(NULL, 'a', 'b');
SELECT evercore_rename_type('event', 'Moved', '');
SELECT evercore_rename_type('event', NULL, 'b');
SELECT evercore_rename_type('event', 'Moved', replace('aaaaaaaaaaaaaaaa', 'a', 'x123456789abcdef'));

-- in a transaction it is undone with it, and names are known anew after it
BEGIN;
SELECT evercore_append(1, NULL, 'Moved', '{}');
SELECT evercore_rename_type('event', 'Moved', 'Went'), evercore_rename_type('aggregate', 'Person', 'Human');
SELECT evercore_append(evercore_find('Human', 'ann'), NULL, 'Went', '{}');
SELECT count(*) FROM evercore_log WHERE event_type = 'Went';
ROLLBACK;
SELECT evercore_append(evercore_find('Person', 'ann'), NULL, 'Moved', '{}');
SELECT event_type FROM evercore_events(1, 6);

-- all is well with the store
SELECT * FROM evercore_check();
