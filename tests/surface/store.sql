-- The store: its version, migration, statistics and check. It begins freshly migrated and empty.

-- evercore_version() is the version of the library
SELECT CASE WHEN evercore_version() LIKE '_%._%._%' THEN 'a version' ELSE evercore_version() END;

-- evercore_stats() has these rows; of an empty store they say so
SELECT name, value FROM evercore_stats();

-- evercore_check() gives no row when all is well
SELECT aggregate_id, position, problem FROM evercore_check();

-- evercore_in_flight is empty when no append is under way
SELECT position, holder, since FROM evercore_in_flight;

-- an empty log, no aggregates
SELECT * FROM evercore_log;
SELECT * FROM evercore_follow();
SELECT * FROM evercore_aggregates;

-- evercore_migrate(target) migrates down as well as up, and gives the schema version it is at
SELECT evercore_migrate(0);
SELECT evercore_migrate(0);

-- a store that is not migrated says so: EV008
SELECT evercore_create('User', 'ann');
SELECT evercore_find('User', 'ann');
SELECT evercore_append(1, NULL, 'Registered', '{}');
SELECT evercore_append_many('[]') AS appends;
SELECT evercore_state(1) AS state;
SELECT * FROM evercore_follow();
SELECT * FROM evercore_check();

-- … but it has a version
SELECT CASE WHEN evercore_version() LIKE '_%._%._%' THEN 'a version' END;

-- up again, step by step, then to the newest; once more changes nothing
SELECT evercore_migrate(1);
SELECT CASE WHEN evercore_migrate() >= 1 THEN 'migrated' END;
SELECT CASE WHEN evercore_migrate(NULL) >= 1 THEN 'migrated' END;
SELECT evercore_find('User', 'ann');

-- a migration that is rolled back has not happened
BEGIN;
SELECT evercore_migrate(0);
ROLLBACK;
SELECT evercore_find('User', 'ann');

-- a store that has given tokens is not migrated down below them: EV010
BEGIN;
SELECT evercore_subscribe('s');
SELECT CASE WHEN evercore_claim('s', 'w', 60) > 0 THEN 'a token' END;
SELECT evercore_unsubscribe('s');
SELECT evercore_migrate(1);
ROLLBACK;

-- a target that there is not is EV009
SELECT evercore_migrate(-1);
SELECT evercore_migrate(1000);

-- evercore_stats() counts what is there: aggregates, events, snapshots, bytes of data and metadata
SELECT evercore_create('User', 'empty');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, metadata) VALUES
  ('User', 'ann', 'Registered', '{"name":"Ann"}', NULL), ('User', 'bob', 'Registered', '{"name":"Böb"}', '{"ip":"::1"}'), ('User', 'ann', 'Left', '{}', NULL);
SELECT evercore_snapshot(evercore_find('User', 'ann'));
SELECT name, value FROM evercore_stats();

-- … it is a table like any other
SELECT value FROM evercore_stats() WHERE name = 'events';
SELECT count(*) FROM evercore_stats();

-- a store that holds events is not migrated down: EV010
SELECT evercore_migrate(0);
SELECT count(*) FROM evercore_log;

-- a store that a newer program has migrated is left alone: EV008
BEGIN;
UPDATE evercore_schema SET version = 1000;
SELECT evercore_migrate();
ROLLBACK;
SELECT CASE WHEN evercore_migrate() < 1000 THEN 'migrated' END;

-- evercore_check() looks at events and snapshots, and finds nothing
SELECT count(*) FROM evercore_check();

-- evercore_check() sees what is wrong: here the base of a compacted aggregate was taken away by hand
SELECT evercore_compact(evercore_find('User', 'ann'), 1);
BEGIN;
DELETE FROM evercore_snapshot WHERE aggregate_id = (SELECT aggregate_id FROM evercore_aggregates WHERE natural_key = 'ann');
SELECT aggregate_id, position, problem FROM evercore_check();
ROLLBACK;
SELECT count(*) FROM evercore_check();

-- a temporary table that bears one of our names stands in nobody's way
CREATE TEMP TABLE evercore_event (position integer, sequence integer);
CREATE TEMP TABLE evercore_aggregate (aggregate_id integer);
SELECT evercore_append(evercore_find('User', 'ann'), 2, 'Returned', '{"name":"Ann II"}');
SELECT evercore_state(evercore_find('User', 'ann')) AS state;
SELECT natural_key, sequence, event_type FROM evercore_follow(3);
SELECT count(*) FROM evercore_log;
SELECT * FROM evercore_check();
