-- Subscriptions: a named durable cursor over the log, held by one owner at a time under a lease.

-- the events of this script
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('User', 'ann', 'Registered', '{"name":"Ann"}', '2026-01-01T00:00:00Z'), ('User', 'bob', 'Registered', '{"name":"Bob"}', '2026-01-02T00:00:00Z'),
  ('Order', '1', 'Placed', '{"total":10}', '2026-01-03T00:00:00Z'), ('User', 'ann', 'Renamed', '{"name":"Anna"}', '2026-01-04T00:00:00Z'),
  ('Order', '1', 'Shipped', '{"by":"bike"}', '2026-01-05T00:00:00Z'), ('Order', '2', 'Placed', '{"total":20}', '2026-01-06T00:00:00Z');

-- evercore_subscribe creates a subscription, from the beginning where nothing else is said, and gives its name
SELECT evercore_subscribe('mailer');
SELECT name, position, lag_events, owner, lease_expires_at, active, last_error FROM evercore_subscriptions;

-- evercore_claim gives a fencing token to one owner, for so many seconds
SELECT evercore_claim('mailer', 'worker a', 60);
SELECT name, owner, token, active FROM evercore_subscriptions WHERE lease_expires_at IS NOT NULL;

-- … and NULL while that lease lives, even to an owner of that name
SELECT evercore_claim('mailer', 'worker b', 60);
SELECT evercore_claim('mailer', 'worker a', 60);

-- evercore_fetch gives the rows of the log after the cursor, and does not move it
SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, recorded_at, event_id
  FROM evercore_fetch('mailer', 1, 2);
SELECT position FROM evercore_fetch('mailer', 1, 1);
SELECT position FROM evercore_fetch('mailer', 1);

-- evercore_ack moves it forward and gives it; a lower position changes nothing
SELECT evercore_ack('mailer', 1, 2);
SELECT evercore_ack('mailer', 1, 1);
SELECT position, natural_key, event_type FROM evercore_fetch('mailer', 1, 2);
SELECT position, lag_events FROM evercore_subscriptions;

-- … not beyond the head
SELECT evercore_ack('mailer', 1, 7);

-- a token that is not the current one is EV006, whatever it is for
SELECT position FROM evercore_fetch('mailer', 0);
SELECT evercore_ack('mailer', 0, 3);
SELECT evercore_renew('mailer', 0, 60);
SELECT evercore_release('mailer', 0);

-- evercore_renew makes the lease longer, evercore_release ends it; both give the name
SELECT evercore_renew('mailer', 1, 120);
SELECT evercore_release('mailer', 1);
SELECT position, owner, lease_expires_at FROM evercore_subscriptions;

-- each token is larger than every one before; who held the lease before has lost it
SELECT evercore_claim('mailer', 'worker b', 60);
SELECT evercore_ack('mailer', 1, 4);
SELECT position FROM evercore_fetch('mailer', 1);
SELECT position, owner FROM evercore_subscriptions;

-- an error given at release is kept, until an ack clears it
SELECT evercore_release('mailer', 2, 'smtp: no route to host');
SELECT owner, last_error FROM evercore_subscriptions;
SELECT evercore_claim('mailer', 'worker a', 60);
SELECT last_error FROM evercore_subscriptions;
SELECT evercore_ack('mailer', 3, 3);
SELECT last_error FROM evercore_subscriptions;

-- a lease that has run out is free: the next one fences the last one off
SELECT evercore_renew('mailer', 3, 0.000001);
SELECT evercore_claim('mailer', 'worker b', 60);
SELECT evercore_ack('mailer', 3, 6);
SELECT evercore_ack('mailer', 4, 4);

-- ack in one transaction with its effect makes a projection exactly-once: both happen, or none
CREATE TABLE shipped (order_key text, carrier text);
BEGIN;
INSERT INTO shipped SELECT natural_key, data ->> 'by'
  FROM evercore_fetch('mailer', (SELECT token FROM evercore_subscriptions WHERE name = 'mailer'), 100) WHERE event_type = 'Shipped';
SELECT evercore_ack('mailer', (SELECT token FROM evercore_subscriptions WHERE name = 'mailer'), 5);
ROLLBACK;
SELECT count(*) FROM shipped;
SELECT position FROM evercore_subscriptions;
BEGIN;
INSERT INTO shipped SELECT natural_key, data ->> 'by'
  FROM evercore_fetch('mailer', (SELECT token FROM evercore_subscriptions WHERE name = 'mailer'), 100) WHERE event_type = 'Shipped';
SELECT evercore_ack('mailer', (SELECT token FROM evercore_subscriptions WHERE name = 'mailer'), 6);
COMMIT;
SELECT order_key, carrier FROM shipped;
SELECT position, lag_events FROM evercore_subscriptions;

-- subscribing again leaves the cursor where it is, and the lease
SELECT evercore_subscribe('mailer');
SELECT evercore_subscribe('mailer', NULL, 'beginning');
SELECT position, owner FROM evercore_subscriptions;

-- a filter is by aggregate type, by type and key, by event types
SELECT evercore_subscribe('orders', '{"aggregate_type":"Order"}');
SELECT evercore_subscribe('ann', '{"aggregate_type":"User","natural_key":"ann"}');
SELECT evercore_subscribe('firsts', '{"event_types":["Registered","Placed"]}');
SELECT evercore_subscribe('placed', '{"aggregate_type":"Order","event_types":["Placed"]}');
SELECT evercore_subscribe('all', '{}');

-- … lag counts what passes it
SELECT name, lag_events FROM evercore_subscriptions WHERE name <> 'mailer' ORDER BY name;

-- … and so does a fetch
SELECT CASE WHEN evercore_claim('orders', 'w', 60) > 0 THEN 'held' END, CASE WHEN evercore_claim('ann', 'w', 60) > 0 THEN 'held' END;
SELECT position, natural_key, event_type FROM evercore_fetch('orders', (SELECT token FROM evercore_subscriptions WHERE name = 'orders'));
SELECT position, event_type FROM evercore_fetch('ann', (SELECT token FROM evercore_subscriptions WHERE name = 'ann'), 1);

-- ack of NULL goes past all that the last empty fetch could see, which the filter kept from it
BEGIN;
SELECT evercore_ack('ann', (SELECT token FROM evercore_subscriptions WHERE name = 'ann'), 4);
SELECT position FROM evercore_fetch('ann', (SELECT token FROM evercore_subscriptions WHERE name = 'ann'));
SELECT evercore_ack('ann', (SELECT token FROM evercore_subscriptions WHERE name = 'ann'), NULL);
COMMIT;

-- a filter can be changed: the cursor stays
SELECT evercore_subscribe('ann', '{"aggregate_type":"User"}');
SELECT position FROM evercore_subscriptions WHERE name = 'ann';
SELECT evercore_append(evercore_find('User', 'bob'), 1, 'Renamed', '{"name":"Rob"}');
SELECT position, natural_key FROM evercore_fetch('ann', (SELECT token FROM evercore_subscriptions WHERE name = 'ann'));

-- a subscription begins at the beginning, at the end, at a position, or before the first event at or after a time
SELECT evercore_subscribe('from end', NULL, 'end'), evercore_subscribe('from 4', NULL, 4), evercore_subscribe('from text', NULL, '4');
SELECT evercore_subscribe('from time', NULL, '2026-01-03T00:00:00Z'), evercore_subscribe('from noon', NULL, '2026-01-03T12:00:00Z');
SELECT name, position FROM evercore_subscriptions WHERE name LIKE 'from%' ORDER BY name;

-- … resolved once, when it is created: what comes later is read, whether anybody held it or not
SELECT evercore_append(evercore_find('User', 'ann'), 2, 'Left', '{}');
SELECT evercore_subscribe('from end', NULL, 'end');
SELECT position, lag_events FROM evercore_subscriptions WHERE name = 'from end';

-- partitions share a subscription: each has a cursor and a lease of its own
SELECT evercore_subscribe('fleet', NULL, NULL, 2);
SELECT count(*), count(DISTINCT partition), sum(lag_events), max(position) FROM evercore_subscriptions WHERE name = 'fleet';
SELECT CASE WHEN evercore_claim('fleet', 'w1', 60) > 0 THEN 'held' END;
SELECT CASE WHEN evercore_claim('fleet', 'w2', 60) > 0 THEN 'held' END;
SELECT evercore_claim('fleet', 'w3', 60);

-- … every event is in one of them, and an aggregate always in the same one
SELECT count(*), count(DISTINCT f.position) FROM evercore_subscriptions AS s, evercore_fetch('fleet', s.token) AS f WHERE s.name = 'fleet';
SELECT f.aggregate_id FROM evercore_subscriptions AS s, evercore_fetch('fleet', s.token) AS f WHERE s.name = 'fleet'
  GROUP BY f.aggregate_id HAVING count(DISTINCT s.partition) > 1;
SELECT evercore_subscribe('fleet', NULL, NULL, 2);
SELECT evercore_subscribe('fleet', NULL, NULL, 3);
SELECT evercore_subscribe('fleet', NULL, NULL, 1025);
SELECT evercore_reset('fleet', 'end');
SELECT evercore_subscribe('fleet', NULL, NULL, 3);
SELECT count(*) FROM evercore_subscriptions WHERE name = 'fleet';
SELECT evercore_unsubscribe('fleet');

-- evercore_pause and evercore_resume give the name; evercore_subscriptions shows who is active
SELECT evercore_pause('orders');
SELECT active, position FROM evercore_subscriptions WHERE name = 'orders';
SELECT evercore_resume('orders');
SELECT active, position FROM evercore_subscriptions WHERE name = 'orders';

-- evercore_reset moves the cursor, back too, and makes current tokens stale
SELECT evercore_reset('mailer', 'beginning');
SELECT evercore_ack('mailer', 4, 8);
SELECT position, owner FROM evercore_subscriptions WHERE name = 'mailer';
SELECT evercore_reset('mailer', 'end'), evercore_reset('from 4', 1), evercore_reset('from noon', '2026-01-05T00:00:00Z');
SELECT name, position FROM evercore_subscriptions WHERE name IN ('mailer', 'from 4', 'from noon') ORDER BY name;
SELECT CASE WHEN evercore_claim('mailer', 'worker c', 60) > 4 THEN 'a larger token' END;

-- evercore_stats counts subscriptions; evercore_unsubscribe removes one
SELECT value FROM evercore_stats() WHERE name = 'subscriptions';
SELECT evercore_unsubscribe('all'), evercore_unsubscribe('firsts'), evercore_unsubscribe('placed'), evercore_unsubscribe('from end');
SELECT evercore_unsubscribe('from 4'), evercore_unsubscribe('from text'), evercore_unsubscribe('from noon'), evercore_unsubscribe('from time');
SELECT name FROM evercore_subscriptions ORDER BY name;

-- compaction and erasure wait for those that have not read what would go: EV010, paused or not
SELECT evercore_compact(evercore_find('Order', '1'), 0);
SELECT evercore_pause('orders');
SELECT evercore_compact(evercore_find('Order', '1'), 1);
SELECT evercore_erase(evercore_find('Order', '1'));
SELECT evercore_compact_type('Order', 0);

-- … but not for those whose filter they do not pass
SELECT evercore_compact(evercore_find('User', 'ann'), 1);
SELECT evercore_erase(evercore_find('User', 'bob'));

-- … once they are read they may go
SELECT evercore_reset('orders', 5);
SELECT evercore_compact(evercore_find('Order', '1'), 0);
SELECT evercore_compact_type('Order', 0);
SELECT evercore_unsubscribe('orders'), evercore_unsubscribe('ann');
SELECT evercore_compact_type('Order', 0);
SELECT evercore_erase(evercore_find('User', 'bob'));

-- a subscription that does not exist is EV002
SELECT evercore_claim('nobody', 'w', 60);
SELECT position FROM evercore_fetch('nobody', 1);
SELECT evercore_ack('nobody', 1, 1);
SELECT evercore_renew('nobody', 1, 60);
SELECT evercore_release('nobody', 1);
SELECT evercore_pause('nobody');
SELECT evercore_resume('nobody');
SELECT evercore_reset('nobody', 'end');
SELECT evercore_unsubscribe('orders');

-- names and owners are never empty, and have at most 255 characters
SELECT evercore_subscribe(NULL);
SELECT evercore_subscribe('');
SELECT evercore_subscribe(replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'));
SELECT evercore_claim('mailer', NULL, 60);
SELECT evercore_claim('mailer', '', 60);
SELECT evercore_claim('mailer', replace('aaaaaaaaaaaaaaaa', 'a', 'é123456789abcdef'), 60);

-- a filter is a JSON object that says which type its key is of
SELECT evercore_subscribe('p', '{"aggregate_type":');
SELECT evercore_subscribe('p', '["User"]');
SELECT evercore_subscribe('p', '{"aggregate_type":"User","aggregate_type":"Order"}');
SELECT evercore_subscribe('p', '{"natural_key":"ann"}');

-- numbers and times are within their range
SELECT evercore_subscribe('p', NULL, 'yesterday');
SELECT evercore_subscribe('p', NULL, NULL, 0);
SELECT evercore_claim('mailer', 'w', -1);
SELECT evercore_claim('mailer', 'w', -0.5);
SELECT evercore_claim('mailer', 'w', -0.000125);
SELECT evercore_claim('mailer', 'w', -0.00001);
SELECT evercore_claim('mailer', 'w', 86400.5);
SELECT evercore_claim('mailer', 'w', 100000);
SELECT evercore_claim('mailer', 'w', 123456789012345.0);
SELECT evercore_claim('mailer', 'w', 1e15);
SELECT evercore_claim('mailer', 'w', -1.5e15);
SELECT evercore_claim('mailer', 'w', 1e20);
SELECT evercore_claim('mailer', 'w', 1.7976931348623157e308);
SELECT evercore_claim('mailer', 'w', -1e-300);
SELECT evercore_claim('mailer', 'w', 86400.1);
SELECT evercore_claim('mailer', 'w', 100000.33333333333);
SELECT evercore_claim('mailer', 'w', 0.0);
SELECT evercore_claim('mailer', 'w', NULL);
SELECT position FROM evercore_fetch('mailer', (SELECT token FROM evercore_subscriptions WHERE name = 'mailer'), -1);
SELECT name FROM evercore_subscriptions;

-- a token and a start that are NULL are no token and no start
SELECT evercore_ack('mailer', NULL, 1);
SELECT evercore_renew('mailer', NULL, 60);
SELECT evercore_release('mailer', NULL);
SELECT position FROM evercore_fetch('mailer', NULL);
SELECT evercore_reset('mailer', CAST(NULL AS TEXT));

-- what the transaction itself has appended is not committed: the end lies before it, and no start beyond
BEGIN;
SELECT evercore_append(evercore_ensure('Late', 'l'), 0, 'Came', '{}');
SELECT evercore_subscribe('late', '{"aggregate_type":"Late"}', 'end');
COMMIT;
SELECT name, lag_events FROM evercore_subscriptions WHERE name = 'late';

-- all is well with the store
SELECT * FROM evercore_check();
