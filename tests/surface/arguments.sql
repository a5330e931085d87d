-- Arguments: positional, the optional ones left off or NULL, each of one type. Errors begin with their code.

-- an aggregate to call
SELECT evercore_create('Thing', 't');

-- an optional argument left off, or NULL, means the default
SELECT evercore_append(1, NULL, 'E', '{"n":1}');
SELECT evercore_append(1, NULL, 'E', '{"n":2}', NULL);
SELECT evercore_append(1, NULL, 'E', '{"n":3}', NULL, NULL);
SELECT evercore_append(1, NULL, 'E', '{"n":4}', NULL, NULL, NULL);
SELECT evercore_append(1, NULL, 'E', '{"n":5}', NULL, NULL, NULL, NULL);
SELECT evercore_sequence(1), evercore_sequence(1, NULL);
SELECT evercore_state(1) AS state;
SELECT evercore_state(1, NULL) AS state;
SELECT count(*) FROM evercore_follow(NULL, NULL);
SELECT count(*) FROM evercore_events(1, NULL, NULL);
SELECT count(*) FROM evercore_replay(1, NULL);
SELECT evercore_compact(1, NULL), evercore_compact_type('Thing', NULL, NULL);

-- an argument may be any expression
SELECT evercore_append(evercore_find('Th' || 'ing', 't'), 2 + 3, upper('e'), '{"n":' || 6 || '}');
SELECT evercore_append(1, evercore_sequence(1), CASE WHEN 1 = 1 THEN 'E' END, coalesce(NULL, '{"n":7}'));

-- inside a transaction they may come from a query
BEGIN;
SELECT evercore_append((SELECT aggregate_id FROM evercore_aggregates WHERE natural_key = 't'),
  (SELECT sequence FROM evercore_aggregates WHERE natural_key = 't'), 'E', (SELECT data || '' FROM evercore_events(1, 0, 1)));
COMMIT;
SELECT data FROM evercore_events(1, 7);

-- a wrong number of arguments is the engine's own error
SELECT evercore_create();
SELECT evercore_find('Thing');
SELECT evercore_append(1, NULL, 'E');
SELECT evercore_state(1, 2, 3) AS state;
SELECT evercore_version(1);

-- a wrong type is EV009 on SQLite, and on PostgreSQL its own error
SELECT evercore_append(1, 'eight', 'E', '{}');
SELECT evercore_append(1, 8.5, 'E', '{}');
SELECT evercore_append(1, 8, 'E', 7);
SELECT evercore_compact(1, 'two');

-- an id that is not there is EV002 in a function that gives a value, and none
SELECT evercore_state(-1) AS state;
SELECT evercore_state(9223372036854775807) AS state;
SELECT evercore_append(0, NULL, 'E', '{}');

-- … and no rows in one that gives rows
SELECT * FROM evercore_events(0);
SELECT * FROM evercore_history(-1);

-- nothing of all that was written
SELECT evercore_sequence(1);
