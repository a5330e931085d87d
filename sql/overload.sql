-- Arguments of other types than text: json, jsonb and bytea for documents, times of every type, integers and uuids for keys, event
-- ids and references. Where an argument is an untyped literal the text form wins: PostgreSQL prefers it among candidates.
--
-- Each of these only turns its arguments into text and calls the form that takes text. Two arguments of any type must be of one
-- type where both are anyelement; anycompatible is another such family, and there is no third.

-- A document of any type as text; EV004 for bytes that are none.
CREATE OR REPLACE FUNCTION _evercore_document(value json, argument text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT $1::text $$;
COMMENT ON FUNCTION _evercore_document(json, text) IS 'A document as text.';

CREATE OR REPLACE FUNCTION _evercore_document(value jsonb, argument text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT _evercore_json_text($1) $$;
COMMENT ON FUNCTION _evercore_document(jsonb, text) IS 'A document as text.';

CREATE OR REPLACE FUNCTION _evercore_document(value bytea, argument text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF octet_length(value) > @max_payload@ AND argument <> 'appends' THEN PERFORM _evercore_refuse('EV004', argument || ': too large'); END IF;
  IF position(decode('00', 'hex') IN value) > 0 THEN PERFORM _evercore_refuse('EV004', argument || ': not JSON'); END IF;
  RETURN convert_from(value, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire THEN
  PERFORM _evercore_refuse('EV004', argument || ': not UTF-8');
END $$;
COMMENT ON FUNCTION _evercore_document(bytea, text) IS 'A document in bytes as text; EV004.';

CREATE OR REPLACE FUNCTION _evercore_document(value anyelement, argument text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION '% is of type %, not text, json, jsonb or bytea', argument, pg_typeof(value) USING ERRCODE = 'undefined_function';
END $$;
COMMENT ON FUNCTION _evercore_document(anyelement, text) IS 'The server''s own error for a type that no form takes.';

-- What is here runs as the store's owner, and a cast is whatever the owner of a type made it. So a value of a type that is not the
-- server's own becomes text by the type's output alone, which nobody but a superuser can write.
CREATE OR REPLACE FUNCTION _evercore_printed(value anyelement) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 IS NULL THEN NULL WHEN pg_typeof($1) = 'character'::regtype THEN rtrim(format('%s', $1)) ELSE format('%s', $1) END
$$;
COMMENT ON FUNCTION _evercore_printed(anyelement) IS 'A value as the output of its type, with no cast of its owner''s.';

-- A number that is an integer is named by it: 123, never 123.0. Any other float by the shortest text that reads back as it, as on SQLite.
CREATE OR REPLACE FUNCTION _evercore_name_text(value anyelement, argument text) RETURNS text
LANGUAGE plpgsql VOLATILE SET extra_float_digits = 1 AS $$
DECLARE
  kind record;
  printed text;
BEGIN
  IF value IS NULL THEN RETURN NULL; END IF;
  SELECT t.typcategory AS category, coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text AS name INTO kind FROM pg_type t WHERE t.oid = pg_typeof(value);
  IF kind.name IN ('smallint', 'integer', 'bigint', 'uuid') OR kind.category IN ('E', 'S') THEN RETURN _evercore_printed(value); END IF;
  IF kind.name NOT IN ('numeric', 'real', 'double precision') THEN
    RAISE EXCEPTION '% is of type %, not text, a number or uuid', argument, pg_typeof(value) USING ERRCODE = 'undefined_function';
  END IF;
  printed := _evercore_printed(value);
  IF kind.name <> 'numeric' AND NOT (abs(printed::double precision) <= 9007199254740992 AND printed::double precision = trunc(printed::double precision)) THEN
    RETURN printed;
  END IF;
  RETURN trim_scale(printed::numeric)::text;
END $$;
COMMENT ON FUNCTION _evercore_name_text(anyelement, text) IS 'An integer, a uuid or another number as the text of a key or an id.';

CREATE OR REPLACE FUNCTION _evercore_time_text(value timestamp) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ SELECT _evercore_time_text($1 AT TIME ZONE 'UTC') $$;
COMMENT ON FUNCTION _evercore_time_text(timestamp) IS 'A time without an offset as evercore writes it: it is UTC, whatever the session''s zone.';

CREATE OR REPLACE FUNCTION _evercore_time_text(value date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ SELECT _evercore_time_text($1::timestamp AT TIME ZONE 'UTC') $$;
COMMENT ON FUNCTION _evercore_time_text(date) IS 'A day as evercore writes it: its midnight in UTC.';

CREATE OR REPLACE FUNCTION _evercore_time_text(value anyelement) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ SELECT _evercore_printed($1) $$;
COMMENT ON FUNCTION _evercore_time_text(anyelement) IS 'What is no time, as text.';

CREATE OR REPLACE FUNCTION evercore_time(value anyelement) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN evercore_time(_evercore_time_text(value));
END $$;
COMMENT ON FUNCTION evercore_time(anyelement) IS 'A time of any type, to compare with: without an offset it is UTC.';

-- The forms themselves, from one table of arguments. Arguments after the last one that is not text are optional. Each form with the number of
-- arguments of a call costs that call a microsecond unless it is prepared. So a form with a reference that is no text takes text for the rest.
CREATE OR REPLACE FUNCTION _evercore_forms() RETURNS TABLE (statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  form record;
BEGIN
  FOR form IN
    WITH RECURSIVE
         document (type, call) AS (VALUES ('text', '%1$s'), ('anyelement', '_evercore_document(%1$s, ''%1$s'')')),
         start (type, call) AS (VALUES ('text', 'start'), ('bigint', 'start'), ('timestamptz', '_evercore_time_text(start)'),
                                       ('timestamp', '_evercore_time_text(start)'), ('date', '_evercore_time_text(start)')),
         -- What evercore_append takes after its first three arguments, a line for each type. `beside` says in which forms a type occurs: a pair
         -- only with its other half; `alone` only where all others but the document are text; `unpaired` only without a pair; else in all.
         argument (no, name, type, call, beside) AS (VALUES
           (1, 'data', 'text', 'data', ''),
           (1, 'data', 'anyelement', '_evercore_document(data, ''data'')', ''),
           (1, 'data', 'json', '_evercore_document(data, ''data'')', 'json, jsonb'),
           (1, 'data', 'jsonb', '_evercore_document(data, ''data'')', 'jsonb, json'),
           (2, 'reference', 'text', 'reference::text', ''),
           (2, 'reference', 'bigint', 'reference::text', 'alone'),
           (2, 'reference', 'uuid', 'reference::text', 'alone'),
           (3, 'metadata', 'text', 'metadata', ''),
           (3, 'metadata', 'anyelement', '_evercore_document(metadata, ''metadata'')', ''),
           (3, 'metadata', 'jsonb', '_evercore_document(metadata, ''metadata'')', 'json, jsonb'),
           (3, 'metadata', 'json', '_evercore_document(metadata, ''metadata'')', 'jsonb, json'),
           (4, 'event_time', 'text', 'event_time', ''),
           (4, 'event_time', 'anycompatible', '_evercore_time_text(event_time)', ''),
           (5, 'event_id', 'text', 'event_id::text', ''),
           (5, 'event_id', 'bigint', 'event_id::text', 'unpaired'),
           (5, 'event_id', 'uuid', 'event_id::text', 'unpaired'),
           (6, 'tags', 'text', 'tags', '')),
         append (no, arguments, calls, required, others, pairs, beside) AS (
           SELECT 0, ARRAY['id bigint', 'expected bigint', 'event_type text'], ARRAY['id', 'expected', 'event_type'], 1, 0, '{}'::text[], '{}'::text[]
           UNION ALL
           SELECT a.no, p.arguments || (a.name || ' ' || a.type), p.calls || a.call, CASE a.type WHEN 'text' THEN p.required ELSE a.no END,
                  p.others + CASE WHEN a.no > 1 AND a.type <> 'text' THEN 1 ELSE 0 END,
                  p.pairs || CASE WHEN a.beside LIKE '%,%' THEN ARRAY[a.beside] END, p.beside || a.beside
             FROM append p JOIN argument a ON a.no = p.no + 1)
    SELECT 'evercore_append' AS name, 'bigint' AS result, 'VOLATILE' AS volatility,
           (SELECT string_agg(u.argument || CASE WHEN u.no > 3 + p.required THEN ' DEFAULT NULL' ELSE '' END, ', ' ORDER BY u.no)
              FROM unnest(p.arguments) WITH ORDINALITY AS u (argument, no)) AS arguments,
           array_to_string(p.calls, ', ') AS call
      FROM append p
     WHERE p.no = (SELECT max(a.no) FROM argument a) AND (p.others > 0 OR p.arguments[4] <> 'data text')
       AND NOT ('alone' = ANY (p.beside) AND p.others > 1)
       AND (p.pairs = '{}' OR cardinality(p.pairs) = 2 AND p.pairs[1] = p.pairs[2] AND NOT 'unpaired' = ANY (p.beside))
    UNION ALL
    SELECT 'evercore_subscribe', 'text', 'VOLATILE',
           format('name text, filter %s%s, start %s%s, partitions bigint DEFAULT NULL', f.type, '', s.type, CASE s.type WHEN 'text' THEN ' DEFAULT NULL' END),
           'name, ' || format(f.call, 'filter') || ', ' || s.call || ', partitions' FROM document f, start s
     WHERE f.type <> 'text' OR s.type NOT IN ('text', 'bigint')
    UNION ALL
    SELECT 'evercore_reset', 'text', 'VOLATILE', 'name text, start ' || s.type, 'name, ' || s.call FROM start s WHERE s.type NOT IN ('text', 'bigint')
    UNION ALL
    SELECT v.* FROM (VALUES
      ('evercore_append_many', 'jsonb', 'VOLATILE', 'appends anyelement', '_evercore_document(appends, ''appends'')'),
      ('evercore_save_snapshot', 'bigint', 'VOLATILE', 'id bigint, sequence bigint, state anyelement, version bigint',
       'id, sequence, _evercore_document(state, ''state''), version'),
      ('evercore_upcast', 'json', 'STABLE', 'event_type text, data anyelement', 'event_type, _evercore_document(data, ''data'')'),
      ('evercore_sequence', 'bigint', 'STABLE', 'id bigint, at_time anyelement', 'id, _evercore_time_text(at_time)'),
      ('evercore_rekey', 'bigint', 'VOLATILE', 'id bigint, new_key anyelement', 'id, _evercore_name_text(new_key, ''natural_key'')'),
      ('evercore_claim', 'bigint', 'VOLATILE', 'name text, owner anyelement, lease_seconds double precision',
       'name, _evercore_name_text(owner, ''owner''), lease_seconds')) AS v
    UNION ALL
    SELECT 'evercore_append_many', 'jsonb', 'VOLATILE', format('appends %s, condition %s, after bigint DEFAULT NULL', k.appends, k.condition),
           CASE k.appends WHEN 'text' THEN 'appends' ELSE '_evercore_document(appends, ''appends'')' END || ', '
             || CASE k.condition WHEN 'text' THEN 'condition' ELSE '_evercore_document(condition, ''condition'')' END || ', after'
      FROM (VALUES ('text', 'anyelement'), ('anyelement', 'text'), ('anyelement', 'anycompatible')) AS k (appends, condition)
    UNION ALL
    SELECT 'evercore_validate', 'text', 'STABLE', format('event_type text, data %s, options %s', k.data, k.options) || CASE k.options WHEN 'text' THEN ' DEFAULT NULL' ELSE '' END,
           'event_type, ' || CASE k.data WHEN 'text' THEN 'data' ELSE '_evercore_document(data, ''data'')' END || ', '
             || CASE k.options WHEN 'text' THEN 'options' ELSE '_evercore_document(options, ''options'')' END
      FROM (VALUES ('text', 'anyelement'), ('anyelement', 'text'), ('anyelement', 'anycompatible')) AS k (data, options)
    UNION ALL
    SELECT f.name, 'bigint', f.volatility, 'type ' || k.type || ', key ' || k.key
             || CASE WHEN f.name = 'evercore_create' AND k.key = 'text' THEN ' DEFAULT NULL' ELSE '' END,
           CASE k.type WHEN 'text' THEN 'type' ELSE '_evercore_name_text(type, ''aggregate_type'')' END || ', '
             || CASE k.key WHEN 'text' THEN 'key' ELSE '_evercore_name_text(key, ''natural_key'')' END
      FROM (VALUES ('evercore_create', 'VOLATILE'), ('evercore_ensure', 'VOLATILE'), ('evercore_find', 'STABLE')) AS f (name, volatility),
           (VALUES ('text', 'anyelement'), ('anyelement', 'text'), ('anyelement', 'anycompatible')) AS k (type, key)
  LOOP
    statement := 'FUNCTION @extschema@.{name}({arguments}) RETURNS {result}
LANGUAGE plpgsql {volatility} SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS {mark}
BEGIN
  {home}
  RETURN {name}({call});
END {mark};
COMMENT ON FUNCTION @extschema@.{name}({types}) IS ''As the form that takes text.'';';
    statement := replace(replace(replace(statement, '{name}', form.name), '{arguments}', form.arguments), '{result}', form.result);
    statement := replace(replace(replace(statement, '{volatility}', form.volatility), '{call}', form.call), '{mark}', repeat('$', 2));
    statement := replace(statement, '{types}', regexp_replace(replace(form.arguments, ' DEFAULT NULL', ''), E'(^|, )\\w+ ', E'\\1', 'g'));
    statement := replace(statement, '{home}', CASE form.volatility WHEN 'VOLATILE' THEN $home$@home@$home$ ELSE '' END);
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_forms() IS 'The functions that take other types than text, as _evercore_functions gives them.';

CREATE OR REPLACE FUNCTION evercore_follow("after" bigint, "limit" bigint, filter anyelement, upto bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT f.* FROM evercore_follow(evercore_follow."after", evercore_follow."limit",
                                               _evercore_document(evercore_follow.filter, 'filter'), evercore_follow.upto) f;
END $$;
COMMENT ON FUNCTION evercore_follow(bigint, bigint, anyelement, bigint) IS 'As the form that takes text.';

CREATE OR REPLACE FUNCTION evercore_query(query anyelement, "after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT q.* FROM evercore_query(_evercore_document(evercore_query.query, 'query'), evercore_query."after", evercore_query."limit") q;
END $$;
COMMENT ON FUNCTION evercore_query(anyelement, bigint, bigint) IS 'As the form that takes text.';
