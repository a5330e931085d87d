-- What sqlsmith is let loose on: a store with something of everything, and a schema `smith` that leads it there.
--
-- sqlsmith knows no value but small integers, and of functions all that stand in pg_proc. On its search_path smith.pg_proc
-- stands before the server's: of that it sees the surface, what turns one type into another, and the functions made here.
-- Each signature of texts and numbers is there three times: as it is; as `smith.call_…`, which takes any values as well and
-- makes of each, by the name of its argument, one that might stand there; and as the relation `smith.called_…`, one call, of another
-- row with each query (the setting smith.turn).
SET search_path = evercore, public;

SELECT evercore_event_type('R', '[{"add":{"/n":"/n"}},{"append":{"/l":{"field":"sequence"}}}]'), evercore_event_type('P', 'patch'),
       evercore_event_type('C', 'custom'), evercore_event_type('M', 'merge');
SELECT evercore_event_type('R', NULL, '{"tags":{"n":"/n"},"schema":{"properties":{"n":{"maximum":1000}}}}'),
       evercore_event_type('M', NULL, '{"upcast":[{"move":{"/old":"/new"}},{"default":{"/d":1}}]}'),
       evercore_aggregate_type('S', '{"schema":{"properties":{"n":{"maximum":100000}}}}'), evercore_index_types();
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_id, event_time, tags)
SELECT (ARRAY['T', 'S', 'G'])[1 + i % 3], 'k' || i % 9, (ARRAY['R', 'P', 'M', 'C'])[1 + i % 4],
       jsonb_build_object('n', i, 'old', jsonb_build_object('x', i)), 'r' || i % 5, '{"m":1}', CASE WHEN i % 2 = 0 THEN 'id-' || i END,
       '1969-12-31T00:00:00Z'::timestamptz + i * interval '7 hours', CASE WHEN i % 5 = 0 THEN '["a","b"]' END
  FROM generate_series(1, 60) i;
SELECT evercore_snapshot(1), evercore_snapshot(2), evercore_save_snapshot(3, 2, '{"s":1}', 7), evercore_snapshot_policy('T', 5, 2);
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) SELECT 'T', 'old', 'P', '{"o":1}', 'old-' || i FROM generate_series(1, 9) i;
SELECT evercore_compact(10, 2), evercore_erase(9);
SELECT evercore_subscribe('s', '{"aggregate_type":"T","event_types":["R","P"]}', 'kept beginning', 3), evercore_subscribe('k', NULL, 'kept beginning'),
       evercore_subscribe('t', '{"tags":["a"]}', 'end'), evercore_subscribe('p', NULL, 'kept 1970-01-05');
SELECT evercore_claim('s', 'w', 3600), evercore_claim('k', 'w', 3600), evercore_pause('p');

CREATE SCHEMA smith;
GRANT USAGE ON SCHEMA smith TO PUBLIC;
CREATE TYPE smith.answer AS ENUM ('yes', 'no');
-- Who writes reads as well; who maintains may call what the owner may, and touch no table.
CREATE ROLE smith_reader IN ROLE evercore_reader;
CREATE ROLE smith_writer IN ROLE evercore_reader, evercore_writer;
CREATE ROLE smith_keeper IN ROLE evercore_reader, evercore_writer;
DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace AND p.proname ~ '^evercore_' AND p.prorettype <> 'trigger'::regtype LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO smith_keeper', routine);
  END LOOP;
END $$;

-- By the name of an argument, what might stand there. What is not named is left as it came.
CREATE TABLE smith.plausible (argument text PRIMARY KEY, texts text[]);
INSERT INTO smith.plausible VALUES
  ('name', '{s,s,k,t,p,s,k,fresh}'), ('reference', '{NULL,r1,r2}'), ('event_id', '{NULL,NULL,id-2,id-8,fresh}'),
  ('id', '{1,2,3,4,5,6,7,8,9,10,11,12,13,NULL}'), ('expected', '{NULL,NULL,NULL,0,1,3,7}'), ('event_type', '{R,P,M,C,R,New,NULL}'),
  ('type', '{T,S,G,T,Other}'), ('key', '{k0,k1,k2,k3,k4,fresh,NULL}'), ('new_key', '{k1,other,k7}'), ('token', '{1,2,3,4,5,6}'), ('max', '{1,5,NULL}'),
  ('after', '{NULL,0,1,5,30,60}'), ('limit', '{NULL,0,1,3,100}'), ('upto', '{NULL,3,50}'), ('position', '{NULL,1,9,40,60}'), ('partitions', '{NULL,1,2,4}'),
  ('at_sequence', '{NULL,1,2,5}'), ('version', '{NULL,7,1}'), ('sequence', '{1,2,5,7}'), ('every', '{NULL,0,1,3}'), ('keep', '{NULL,1,2}'), ('keep_events', '{NULL,0,1,4}'),
  ('on', '{NULL,1,0,1}'), ('lease_seconds', '{0,1,60,3600,NULL}'), ('at_time', '{1970-01-03T00:00:00Z,2026-01-01,1969-01-01,NULL}'), ('owner', '{w,v}'), ('error', '{NULL,failed}'),
  ('start', '{kept beginning,end,kept 1970-01-10,beginning,2000-01-01T00:00:00.5+02:00}'), ('kind', '{aggregate_type,event_type}'), ('old', '{G,C,Q}'), ('new', '{Q,G,C}'),
  ('value', '{2026-01-01T10:00:00Z,1969-12-31,1e3,2026-02-30,NULL}'), ('event_time', '{NULL,2026-01-01T10:00:00Z,1969-12-31T23:59:59.999999Z}'),
  ('fold', ARRAY[NULL, 'merge', 'patch', 'custom', '[{"add":{"/n":"/n"}}]', '[{"set":{"":""}}]']), ('tags', ARRAY[NULL, '["a"]', '["b","c"]', '[]', '[7]']),
  ('data', ARRAY['{}', '{"n":1}', '{"n":2.5,"old":{"x":null}}', '{"n":10000}', '{"a":1,"a":2}', '[1]', '{"n":"x","l":[1,2]}', '{"deep":{"er":{"n":1e300}}}']),
  ('state', ARRAY['{}', '{"n":1,"l":[]}', '{"n":', '{"n":1e999}']), ('metadata', ARRAY[NULL, '{}', '{"m":[]}', '3']),
  ('filter', ARRAY[NULL, '{"event_types":["R"]}', '{"aggregate_type":"S","natural_key":"k1"}', '{"tags":["a"]}', '{"x":1}', '{"reference":"r1"}']),
  ('options', ARRAY[NULL, '{"schema":null}', '{"schema":{"properties":{"n":{"type":"number"}}}}', '{"tags":{"n":"/n"}}', '{"upcast":[{"default":{"/d":1}}]}', '{"upcast":[{"remove":["/n"]}]}']),
  ('query', ARRAY['[]', '[{"types":["R"]}]', '[{"tags":["a","b"]},{"types":["P","M"],"tags":["n:7"]}]', '[{"type":"R"}]']),
  ('condition', ARRAY[NULL, '[{"tags":["b"]}]', '[{"types":["M"]}]', '[{}]']),
  ('appends', ARRAY['[]', '[{"aggregate_id":2,"events":[{"event_type":"R","data":{"n":1}},{"event_type":"P","data":{"o":{"x":null}},"tags":["a"]}]}]',
     '[{"aggregate_type":"T","natural_key":"k1","events":[{"event_type":"M","data":{},"event_id":"id-2"}]},{"aggregate_type":"S","events":[{"event_type":"R","data":{"n":5}}]}]',
     '[{"aggregate_id":1,"repeats":"skip","events":[{"event_type":"C","data":{},"event_id":"x"}]}]', '[{"aggregate_id":1,"events":[{"event_type":"R"}]}]']);


CREATE TABLE smith.given AS
  SELECT i AS number, 'w' || i AS word, i / 4.0::float8 AS amount, '1970-01-01'::timestamptz + i * interval '1 day' AS moment, '1970-01-01'::timestamp + i * interval '1 day' AS local,
         '1970-01-01'::date + i::int AS day, md5(i::text)::uuid AS uuid, '{"n":1}'::json AS json, '{"n":1}'::jsonb AS jsonb FROM generate_series(1, 60::bigint) i;
GRANT SELECT ON smith.given TO PUBLIC;

CREATE FUNCTION smith.pick(argument text, given text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT texts[1 + abs(hashtext(argument || coalesce(given, '')) % cardinality(texts))] FROM smith.plausible p WHERE p.argument = $1
$$;

DO $$
DECLARE
  routine record;
  caller text;
BEGIN
  FOR routine IN
    SELECT p.oid, p.proname, p.proretset, p.prorettype::regtype AS result, row_number() OVER (PARTITION BY p.proname ORDER BY p.oid) AS form, a.*
      FROM pg_proc p,
           LATERAL (SELECT coalesce(string_agg(a.type::text, ', ' ORDER BY a.place), '') AS types,
                           coalesce(string_agg(CASE WHEN a.type = 'text'::regtype OR a.type IN ('bigint'::regtype, 'float8'::regtype) AND a.name NOT IN ('start', 'event_id', 'reference') THEN format('smith.pick(%L, $%s::text)::%s', CASE WHEN a.name <> 'name' THEN a.name WHEN p.proname = 'evercore_event_type' THEN 'event_type' WHEN p.proname = 'evercore_aggregate_type' THEN 'type' ELSE 'name' END, a.place, a.type)
                                                    ELSE '$' || a.place END, ', ' ORDER BY a.place), '') AS picked,
                           coalesce(string_agg('g.' || (SELECT min(attname) FROM pg_attribute WHERE attrelid = 'smith.given'::regclass AND attnum > 0 AND atttypid = a.type), ', ' ORDER BY a.place), '') AS given
                      FROM (SELECT u.name, u.type::regtype, u.place FROM unnest(p.proargnames, p.proargtypes::oid[]) WITH ORDINALITY AS u (name, type, place) WHERE u.place <= p.pronargs) a) a
     WHERE p.pronamespace = 'evercore'::regnamespace AND p.proname ~ '^evercore_' AND p.proname <> 'evercore_migrate' AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
       AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) t WHERE t IN ('anyelement'::regtype, 'anycompatible'::regtype)) LOOP
    EXECUTE format('CREATE FUNCTION smith.call_%s_%s(%s) RETURNS %s LANGUAGE sql AS %L', routine.proname, routine.form, routine.types,
      CASE WHEN routine.proretset THEN 'bigint' ELSE routine.result::text END,
      format(CASE WHEN routine.proretset THEN 'SELECT count(*) FROM evercore.%I(%s)' ELSE 'SELECT evercore.%I(%s)' END, routine.proname, routine.picked));
    FOR copy IN 1..3 LOOP
      EXECUTE format('CREATE VIEW smith.called_%1$s_%2$s_%4$s WITH (security_invoker) AS SELECT g.number, smith.call_%1$s_%2$s(%3$s) AS answer FROM smith.given g
        WHERE g.number = 1 + (current_setting(''smith.turn'')::bigint + 7 * %4$s) %% 60', routine.proname, routine.form, routine.given, copy);
      FOREACH caller IN ARRAY '{smith_reader,smith_writer,smith_keeper}'::text[] LOOP
        CONTINUE WHEN NOT has_function_privilege(caller, routine.oid, 'EXECUTE');
        EXECUTE format('GRANT SELECT ON smith.called_%s_%s_%s TO %I', routine.proname, routine.form, copy, caller);
      END LOOP;
    END LOOP;
  END LOOP;
  FOR number IN 1..6 LOOP
    EXECUTE format('CREATE VIEW smith.append_%s WITH (security_invoker) AS SELECT * FROM evercore.evercore_append; GRANT SELECT, INSERT ON smith.append_%1$s TO smith_writer, smith_keeper', number);
  END LOOP;
  FOR routine IN SELECT w, row_number() OVER () AS number FROM (SELECT DISTINCT unnest(texts) AS w FROM smith.plausible ORDER BY 1) all_words
                  WHERE w IS NOT NULL LOOP
    EXECUTE format('CREATE FUNCTION smith.word_%s() RETURNS text LANGUAGE sql IMMUTABLE AS %L', routine.number, format('SELECT %L::text', routine.w));
  END LOOP;
END $$;

-- What the role of the session may call, through SQL or through smith. The store is not to be migrated away.
CREATE VIEW smith.pg_proc WITH (security_invoker) AS
SELECT p.* FROM pg_catalog.pg_proc p
 WHERE p.pronamespace IN ('evercore'::regnamespace, 'smith'::regnamespace) AND p.proname ~ '^(evercore|call|word)_' AND p.proname <> 'evercore_migrate'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc r WHERE r.pronamespace = 'evercore'::regnamespace AND NOT has_function_privilege(r.oid, 'EXECUTE')
                      AND r.proname = regexp_replace(p.proname, '^call_(.*)_\d+$', '\1'))
    OR p.pronamespace = 'pg_catalog'::regnamespace
   AND p.oid::regprocedure::text = ANY ('{now(),length(text),upper(text),md5(text),to_jsonb(anyelement),abs(bigint),count(*),max(bigint),min(text),sum(bigint),jsonb_agg(anyelement),
       "string_agg(text,text)",row_number(),rank(),"int8(integer)","float8(bigint)",jsonb_typeof(jsonb),"array_length(anyarray,integer)"}'::text[]);
GRANT SELECT ON smith.pg_proc TO PUBLIC;
