-- What compaction removed and cursors that would miss it; what is erased; where a restored store goes on.

-- the events of this script: four of one aggregate, of which three are compacted, and two of another
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('T', 'a', 'A', '{}', '2026-01-01T00:00:00Z'), ('T', 'a', 'B', '{}', '2026-01-02T00:00:00Z'), ('T', 'a', 'A', '{}', '2026-01-05T00:00:00Z'),
  ('T', 'a', 'A', '{}', '2026-01-04T00:00:00Z'), ('T', 'b', 'A', '{}', '2026-01-05T00:00:00Z'), ('T', 'b', 'A', '{}', '2026-01-06T00:00:00Z');
SELECT evercore_compact(evercore_find('T', 'a'), 1);

-- a subscription that would miss compacted events is EV010, however its start says it
SELECT evercore_subscribe('s');
SELECT evercore_subscribe('s', NULL, 'beginning');
SELECT evercore_subscribe('s', NULL, 0);
SELECT evercore_subscribe('s', NULL, 2);
SELECT evercore_subscribe('s', NULL, '2');
SELECT evercore_subscribe('s', NULL, '2026-01-01T00:00:00Z');
SELECT evercore_subscribe('s "q"', NULL, 'beginning', 3);
SELECT name FROM evercore_subscriptions;

-- … by a time as well where a compacted event happened at or after it, though its position is below the start
SELECT evercore_subscribe('s', NULL, '2026-01-05T00:00:00Z');

-- … but not where all that was removed is below the start
SELECT evercore_subscribe('from 3', NULL, 3);
SELECT evercore_subscribe('from a time', NULL, '2026-01-06T00:00:00Z');
SELECT evercore_subscribe('from the end', NULL, 'end');
SELECT name, position FROM evercore_subscriptions ORDER BY name;

-- the word kept says that it is meant
SELECT evercore_subscribe('kept 1', NULL, 'kept');
SELECT evercore_subscribe('kept 2', NULL, 'kept beginning');
SELECT evercore_subscribe('kept 3', NULL, 'kept 2');
SELECT evercore_subscribe('kept 4', NULL, 'kept 2026-01-01T00:00:00Z');
SELECT evercore_subscribe('kept 5', NULL, 'kept end');
SELECT name, position, lag_events FROM evercore_subscriptions WHERE name LIKE 'kept%' ORDER BY name;

-- it is one word, before one start
SELECT evercore_subscribe('s', NULL, 'kept ');
SELECT evercore_subscribe('s', NULL, 'kept kept');
SELECT evercore_subscribe('s', NULL, 'keptbeginning');
SELECT evercore_subscribe('s', NULL, 'KEPT');
SELECT evercore_subscribe('s', NULL, ' kept');
SELECT evercore_subscribe('s', NULL, 'kept 7');
SELECT evercore_subscribe('s', NULL, 'kept 99999999999999999999');

-- only compacted events that pass the filter are missed: of an event type
SELECT evercore_subscribe('s', '{"event_types":["B"]}');
SELECT evercore_subscribe('s', '{"event_types":["A","B"]}');
SELECT evercore_subscribe('only c', '{"event_types":["C"]}');

-- … of an aggregate type, of a key
SELECT evercore_subscribe('s', '{"aggregate_type":"T"}');
SELECT evercore_subscribe('s', '{"aggregate_type":"T","natural_key":"a"}', 1);
SELECT evercore_subscribe('only b', '{"aggregate_type":"T","natural_key":"b"}');
SELECT evercore_subscribe('other', '{"aggregate_type":"Other"}');

-- a reset is looked at in the same way
SELECT evercore_reset('only c', 'beginning');
SELECT evercore_reset('from 3', 'beginning');
SELECT evercore_reset('from 3', 2);
SELECT evercore_reset('from 3', '2026-01-05T00:00:00Z');
SELECT position FROM evercore_subscriptions WHERE name = 'from 3';
SELECT evercore_reset('from 3', 'kept 2');
SELECT position FROM evercore_subscriptions WHERE name = 'from 3';

-- … and so is a changed filter, at each cursor: there the start is looked at for that word alone
SELECT evercore_subscribe('only c');
SELECT evercore_subscribe('only c', '{"event_types":["B"]}', 'end');
SELECT filter FROM evercore_subscriptions WHERE name = 'only c';
SELECT evercore_subscribe('only c', '{"event_types":["B"]}', 'kept');
SELECT evercore_subscribe('only c', '{"event_types":["B"]}');
SELECT filter, position FROM evercore_subscriptions WHERE name = 'only c';

-- … of each partition by itself: the aggregate that was compacted is in one of them
SELECT evercore_subscribe('parts', '{"event_types":["C"]}', 'end', 2);
SELECT evercore_reset('parts', 1);
SELECT evercore_subscribe('parts', '{"event_types":["A"]}');
SELECT evercore_claim('parts', 'w', 60), evercore_claim('parts', 'w', 60);
SELECT evercore_ack('parts', 2, 3);
SELECT partition, position FROM evercore_subscriptions WHERE name = 'parts' ORDER BY partition;
SELECT evercore_subscribe('parts', '{"event_types":["A"]}');

-- compaction waits for who reads what would go; then the newest position of each type counts
SELECT evercore_append(evercore_find('T', 'a'), NULL, 'B', '{}');
SELECT evercore_append(evercore_find('T', 'a'), NULL, 'A', '{}');
SELECT evercore_compact(evercore_find('T', 'a'), 1);
SELECT evercore_unsubscribe('from 3'), evercore_unsubscribe('from a time'), evercore_unsubscribe('from the end'), evercore_unsubscribe('only c');
SELECT evercore_unsubscribe('kept 1'), evercore_unsubscribe('kept 2'), evercore_unsubscribe('kept 3'), evercore_unsubscribe('kept 4');
SELECT evercore_unsubscribe('kept 5'), evercore_unsubscribe('parts');
SELECT evercore_compact(evercore_find('T', 'a'), 1);
SELECT evercore_subscribe('s', '{"event_types":["B"]}', 6);
SELECT evercore_subscribe('s', '{"event_types":["A"]}', 3);
SELECT evercore_subscribe('from 7', '{"event_types":["B"]}', 7);

-- a compacted aggregate keeps the fold of its event types
SELECT evercore_event_type('A', 'patch');
SELECT aggregate_id, natural_key, sequence, erased FROM evercore_aggregates ORDER BY aggregate_id;

-- what compaction removed is gone, whether its aggregate was erased since or not; its key is gone too
SELECT evercore_erase(evercore_find('T', 'a'));
SELECT aggregate_id, natural_key, sequence, erased FROM evercore_aggregates ORDER BY aggregate_id;
SELECT evercore_subscribe('s');
SELECT evercore_subscribe('s', '{"aggregate_type":"T","event_types":["B"]}', '2026-01-01T00:00:00Z');
SELECT evercore_subscribe('s', '{"aggregate_type":"T","natural_key":"a"}');
SELECT evercore_reset('from 7', 'beginning');
SELECT evercore_reset('from 7', 'kept');
SELECT evercore_subscribe('s', NULL, 'kept');
SELECT evercore_subscribe('s', '{"event_types":["B"]}');
SELECT evercore_subscribe('s', '{"event_types":["B"]}', 'kept');
SELECT evercore_subscribe('s', NULL, 'kept');

-- erased aggregates do not stand in the way of another fold
SELECT evercore_event_type('A', 'patch');
SELECT count(*) FROM evercore_check();

-- evercore_restored() gives the new head: positions go on far beyond, and what is drawn next is above it
SELECT value FROM evercore_stats() WHERE name = 'head_position';
SELECT evercore_restored();
SELECT value FROM evercore_stats() WHERE name = 'head_position';
SELECT evercore_append(evercore_find('T', 'b'), 2, 'A', '{}');
SELECT max(position) FROM evercore_log;
SELECT value FROM evercore_stats() WHERE name = 'head_position';

-- … tokens as well
SELECT CASE WHEN evercore_claim('s', 'w', 60) > 1048576 THEN 1 END;

-- … so that a follower from there finds nothing but what is new, and one from beyond is told
SELECT position FROM evercore_follow(8);
SELECT count(*) FROM evercore_follow(1048585);
SELECT evercore_subscribe('beyond', NULL, 1048586);
SELECT position FROM evercore_follow(1048586);
SELECT count(*) FROM evercore_check();

-- … and one fetch with a filter goes over what was left out
SELECT evercore_subscribe('over', '{"event_types":["New"]}', 1);
SELECT evercore_append(evercore_find('T', 'b'), 3, 'New', '{}');
SELECT CASE WHEN evercore_claim('over', 'w', 60) > 1048576 THEN 1 END;
SELECT position FROM evercore_fetch('over', (SELECT token FROM evercore_subscriptions WHERE name = 'over'));

-- what was erased and never compacted leaves its tombstones: nothing is missed
SELECT evercore_unsubscribe('s');
SELECT evercore_append(evercore_ensure('Kept', 'k'), 0, 'K', '{"n":1}');
SELECT evercore_erase(evercore_find('Kept', 'k'));
SELECT evercore_subscribe('tombstones', '{"aggregate_type":"Kept"}');
