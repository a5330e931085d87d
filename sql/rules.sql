-- Rules: how an event type changes the state, told as a JSON array of operations on it. They are kept as they were given, since the order
-- of members counts and jsonb forgets it.
--
-- A fold takes the rules of a type apart once, into steps of one target and one source each, and then goes through the steps of each event.

-- == What rules are ==

-- Tokens of names, or of pointers in braces.
CREATE OR REPLACE FUNCTION _evercore_is_target(target text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN target COLLATE "C" ~ '^(/([{](/([^/~}]|~[01])*)*[}](?=/|$)|([^/~{]|~[01])([^/~]|~[01])*)?)*$';
END $$;
COMMENT ON FUNCTION _evercore_is_target(text) IS 'Whether a text is a target of rules.';

-- What is wrong with a source, after its place, or NULL.
CREATE OR REPLACE FUNCTION _evercore_source_fault(source json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  CASE json_typeof(source)
    WHEN 'string' THEN RETURN CASE WHEN (source #>> '{}') COLLATE "C" !~ '^(/([^~]|~[01])*)?$' THEN ': not a source' END;
    WHEN 'object' THEN RETURN (SELECT CASE WHEN min(m.key) NOT IN ('value', 'field') OR count(*) <> 1 THEN ': not a source'
                                           WHEN min(m.key) = 'field' AND (json_typeof(source->'field') <> 'string'
                                                OR source->>'field' NOT IN ('event_time', 'event_type', 'reference', 'sequence')) THEN '/field: unknown field' END
                                 FROM json_object_keys(source) AS m (key));
    ELSE RETURN ': not a source';
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_source_fault(json) IS 'What is wrong with a source of rules, or NULL.';

CREATE OR REPLACE FUNCTION _evercore_operation_fault(operation text, body json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  one record;
  fault text;
  seen text[] COLLATE "C" := '{}';
BEGIN
  CASE
    WHEN operation IN ('merge', 'patch') THEN RETURN _evercore_source_fault(body);
    WHEN operation IN ('set', 'add', 'subtract', 'append') THEN
      IF json_typeof(body) <> 'object' THEN RETURN ': not an object'; END IF;
      FOR one IN SELECT t.key, t.value, '/' || replace(replace(t.key, '~', '~0'), '/', '~1') AS place FROM json_each(body) AS t LOOP
        IF NOT _evercore_is_target(one.key) OR one.key = '' AND operation <> 'set' THEN RETURN one.place || ': not a target'; END IF;
        fault := _evercore_source_fault(one.value);
        IF fault IS NOT NULL THEN RETURN one.place || fault; END IF;
      END LOOP;
    WHEN operation = 'remove' THEN
      IF json_typeof(body) <> 'array' THEN RETURN ': not an array'; END IF;
      FOR one IN SELECT t.value #>> '{}' AS target, json_typeof(t.value) AS type, '/' || t.no - 1 AS place FROM json_array_elements(body) WITH ORDINALITY AS t (value, no) LOOP
        IF one.type <> 'string' OR one.target = '' OR NOT _evercore_is_target(one.target) THEN RETURN one.place || ': not a target'; END IF;
        IF one.target = ANY (seen) THEN RETURN one.place || ': twice'; END IF;
        seen := seen || one.target;
      END LOOP;
    ELSE RETURN ': unknown operation';
  END CASE;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_operation_fault(text, json) IS 'What is wrong with an operation of rules, after its place, or NULL.';

-- Of rules, and of an upcast: one row for each element, with its place; the operation is NULL where it is none.
CREATE OR REPLACE FUNCTION _evercore_operations(declared json) RETURNS TABLE (place text, operation text, body json)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 3 SET jit = off AS $$
BEGIN
  RETURN QUERY
  SELECT '/' || r.no - 1 || CASE WHEN n.amount = 1 THEN _evercore_token(n.name) ELSE '' END, CASE WHEN n.amount = 1 THEN n.name END, r.value->n.name
    FROM json_array_elements(declared) WITH ORDINALITY AS r (value, no),
         LATERAL (SELECT min(k.name) AS name, count(*) AS amount
                    FROM json_object_keys(CASE json_typeof(r.value) WHEN 'object' THEN r.value ELSE '{}' END) AS k (name)) n
   ORDER BY r.no;
END $$;
COMMENT ON FUNCTION _evercore_operations(json) IS 'The operations of an array of them.';

-- The first fault in the order of the text.
CREATE OR REPLACE FUNCTION _evercore_rules_fault(rules json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  one record;
  fault text;
BEGIN
  IF json_typeof(rules) <> 'array' THEN RETURN 'not an array'; END IF;
  IF (SELECT count(*) FROM _evercore_targets(rules)) > @max_targets@ THEN RETURN 'too large'; END IF;
  FOR one IN SELECT o.* FROM _evercore_operations(rules) o LOOP
    fault := CASE WHEN one.operation IS NULL THEN ': not an operation' ELSE _evercore_operation_fault(one.operation, one.body) END;
    IF fault IS NOT NULL THEN RETURN one.place || fault; END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_rules_fault(json) IS 'What is wrong with rules, or NULL.';

-- One row for each target of each operation, in order, and for what has none. Of rules that were damaged, too, what can be read.
CREATE OR REPLACE FUNCTION _evercore_targets(rules json) RETURNS TABLE (operation text, target text, source json)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 3 AS $$
BEGIN
  RETURN QUERY
  SELECT o.key, t.target, t.source
    FROM json_array_elements(CASE json_typeof(rules) WHEN 'array' THEN rules ELSE '[]' END) WITH ORDINALITY AS r (value, no),
         json_each(CASE json_typeof(r.value) WHEN 'object' THEN r.value ELSE '{}' END) WITH ORDINALITY AS o (key, value, no),
         LATERAL (SELECT m.key AS target, m.value AS source, m.no
                    FROM json_each(CASE WHEN o.key IN ('set', 'add', 'subtract', 'append') AND json_typeof(o.value) = 'object' THEN o.value ELSE '{}' END)
                         WITH ORDINALITY AS m (key, value, no)
                  UNION ALL
                  SELECT e.value #>> '{}', NULL, e.no
                    FROM json_array_elements(CASE WHEN o.key = 'remove' AND json_typeof(o.value) = 'array' THEN o.value ELSE '[]' END)
                         WITH ORDINALITY AS e (value, no)
                  UNION ALL
                  SELECT NULL, o.value, 1 WHERE o.key NOT IN ('set', 'add', 'subtract', 'append', 'remove')) t
   ORDER BY r.no, o.no, t.no;
END $$;
COMMENT ON FUNCTION _evercore_targets(json) IS 'The targets and sources of rules.';

-- Rules of the same effect in another spelling are the same.
CREATE OR REPLACE FUNCTION _evercore_same_rules(rules json, other json) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_build_array(t.operation, t.target, t.source)) FROM _evercore_targets(rules) t)
    IS NOT DISTINCT FROM (SELECT jsonb_agg(jsonb_build_array(t.operation, t.target, t.source)) FROM _evercore_targets(other) t);
END $$;
COMMENT ON FUNCTION _evercore_same_rules(json, json) IS 'Whether rules say the same.';

-- A fold as it is declared: a name, or rules. What only merges is the fold of that name.
CREATE OR REPLACE FUNCTION _evercore_read_fold(given text, OUT fold text, OUT rules json)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text;
BEGIN
  IF given IS NULL OR given IN ('merge', 'patch', 'custom') THEN
    fold := given;
  ELSIF given ~ '^[ [.tab.][.newline.][.carriage-return.]]*[[]' THEN
    fault := CASE WHEN octet_length(given) > @max_payload@ THEN 'too large' ELSE _evercore_exact_fault(given, 'array') END;
    IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV004', 'fold: ' || fault); END IF;
    fault := _evercore_rules_fault(given::json);
    IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV009', 'fold: ' || fault); END IF;
    fold := CASE WHEN _evercore_same_rules(given::json, '[{"merge":""}]') THEN 'merge' ELSE 'rules' END;
    rules := CASE fold WHEN 'rules' THEN given::json END;
  ELSE
    PERFORM _evercore_refuse('EV009', format('fold is not merge, patch, custom or rules: "%s"', given));
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_read_fold(text) IS 'How an event type is to change the state; EV004, EV009.';

CREATE OR REPLACE FUNCTION _evercore_damaged_rules() RETURNS SETOF text
LANGUAGE sql STABLE SET jit = off AS $$
  SELECT k.name FROM evercore_event_type k
   WHERE CASE WHEN k.fold <> 'rules' OR k.rules IS NULL THEN (k.fold = 'rules') IS DISTINCT FROM (k.rules IS NOT NULL)
              ELSE coalesce(_evercore_exact_fault(k.rules::text, 'array'), _evercore_rules_fault(k.rules)) IS NOT NULL END
$$;
COMMENT ON FUNCTION _evercore_damaged_rules() IS 'The event types whose rules nobody can have declared.';

-- == Rules as steps ==

-- The tokens of a pointer, or of a target with those in braces as NULL.
CREATE OR REPLACE FUNCTION _evercore_tokens(pointer text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(SELECT CASE WHEN t.part[1] IS NULL THEN replace(replace(t.part[2], '~1', '/'), '~0', '~') END
                 FROM regexp_matches(pointer COLLATE "C", '/(?:[{]([^}]*)[}](?=/|$)|([^/]*))', 'g') WITH ORDINALITY AS t (part, no) ORDER BY t.no);
END $$;
COMMENT ON FUNCTION _evercore_tokens(text) IS 'The reference tokens of a JSON Pointer.';

CREATE OR REPLACE FUNCTION _evercore_token_pointers(target text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(SELECT t.part[1] FROM regexp_matches(target COLLATE "C", '/(?:[{]([^}]*)[}](?=/|$)|([^/]*))', 'g') WITH ORDINALITY AS t (part, no) ORDER BY t.no);
END $$;
COMMENT ON FUNCTION _evercore_token_pointers(text) IS 'The pointers in braces of a target, in the places of their tokens.';

-- An array of arrays: 1 the operation; of the target 2 its name where that is all, else 3 its tokens and 4, where one comes from the data,
-- their pointers; of the source 5 its name where that is all, 6 its pointer, 7 the value, 8 the field. NULL where there is no step.
CREATE OR REPLACE FUNCTION _evercore_steps(rules json) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT array_agg(ARRAY[t.operation,
                   CASE WHEN t.target COLLATE "C" ~ '^/([^/{][^/]*)?$' THEN replace(replace(substr(t.target, 2), '~1', '/'), '~0', '~') END,
                   CASE WHEN t.target COLLATE "C" !~ '^/([^/{][^/]*)?$' THEN _evercore_tokens(t.target)::text END,
                   CASE WHEN position('/{' IN t.target) > 0 THEN _evercore_token_pointers(t.target)::text END,
                   CASE WHEN s.pointer ~ '^/[^/]*$' THEN replace(replace(substr(s.pointer, 2), '~1', '/'), '~0', '~') END,
                   CASE WHEN s.pointer !~ '^/[^/]*$' THEN s.pointer END,
                   CASE WHEN s.pointer IS NULL THEN (t.source->'value')::text END,
                   CASE WHEN s.pointer IS NULL THEN t.source->>'field' END] ORDER BY t.no)
            FROM ROWS FROM (_evercore_targets(rules)) WITH ORDINALITY AS t (operation, target, source, no),
                 LATERAL (SELECT (CASE WHEN json_typeof(t.source) = 'string' THEN t.source #>> '{}' END) COLLATE "C" AS pointer) s);
END $$;
COMMENT ON FUNCTION _evercore_steps(json) IS 'Rules as steps of one target and one source each.';

-- The steps of one more type behind those that are known, and where they end: one end more than types, the first of which is 0.
CREATE OR REPLACE FUNCTION _evercore_learn_rules(INOUT types text[], INOUT ends integer[], INOUT steps text[], type text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET jit = off AS $$
BEGIN
  steps := steps || _evercore_steps((SELECT k.rules FROM evercore_event_type k WHERE k.name = type COLLATE "C"));
  ends := ends || coalesce(array_length(steps, 1), 0);
  types := types || type;
END $$;
COMMENT ON FUNCTION _evercore_learn_rules(text[], integer[], text[], text) IS 'Adds the steps of an event type''s rules.';

-- == Steps on a state ==

-- The state after an event, by steps from one to another.
CREATE OR REPLACE FUNCTION _evercore_apply_steps(state jsonb, data jsonb, steps text[], first integer, last integer,
  happened timestamptz, type text, reference text, sequence bigint) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  operation text;
  name text;
  key text;
  value jsonb;
BEGIN
  FOR i IN first .. last LOOP
    operation := steps[i][1];
    name := steps[i][2];
    key := steps[i][5];
    value := CASE WHEN key IS NOT NULL THEN data->key
                  WHEN steps[i][6] IS NOT NULL THEN _evercore_at(data, steps[i][6])
                  WHEN steps[i][7] IS NOT NULL THEN steps[i][7]::jsonb
                  WHEN steps[i][8] IS NOT NULL THEN _evercore_field(steps[i][8], happened, type, reference, sequence) END;
    IF name IS NOT NULL THEN
      IF operation = 'remove' THEN
        state := state - name;
        CONTINUE;
      END IF;
      value := CASE operation WHEN 'add' THEN _evercore_sum(state->name, value, false)
                              WHEN 'set' THEN CASE WHEN pg_column_size(value) < @max_depth@ THEN value ELSE _evercore_changed(NULL, 'set', value, @max_depth@ - 1) END
                              ELSE _evercore_changed(state->name, operation, value, @max_depth@ - 1) END;
      IF value IS NOT NULL THEN state := state || jsonb_build_object(name, value); END IF;
    ELSIF steps[i][3] IS NOT NULL THEN
      state := _evercore_change_at(state, _evercore_path(data, steps[i][3], steps[i][4]), operation, value);
    ELSIF jsonb_typeof(value) = 'object' THEN
      state := CASE operation WHEN 'merge' THEN _evercore_fold_step(state, value, 'merge') WHEN 'patch' THEN _evercore_merge_patch(state, value, 1) ELSE state END;
    END IF;
  END LOOP;
  RETURN state;
END $$;
COMMENT ON FUNCTION _evercore_apply_steps(jsonb, jsonb, text[], integer, integer, timestamptz, text, text, bigint) IS 'The state after one more event, by rules.';

CREATE OR REPLACE FUNCTION _evercore_field(field text, happened timestamptz, type text, reference text, sequence bigint) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  CASE field
    WHEN 'event_time' THEN RETURN to_jsonb(_evercore_time_text(happened));
    WHEN 'event_type' THEN RETURN to_jsonb(type);
    WHEN 'reference' THEN RETURN to_jsonb(reference);
    WHEN 'sequence' THEN RETURN to_jsonb(sequence);
    ELSE RETURN NULL;
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_field(text, timestamptz, text, text, bigint) IS 'A field of an event as a source of rules.';

-- NULL where the operation does nothing: its source is absent or no use, or what comes of it is deeper than there is room for.
CREATE OR REPLACE FUNCTION _evercore_changed(target jsonb, operation text, source jsonb, room integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  CASE operation
    WHEN 'add' THEN RETURN _evercore_sum(target, source, false);
    WHEN 'subtract' THEN RETURN _evercore_sum(target, source, true);
    WHEN 'set' THEN RETURN CASE WHEN NOT _evercore_is_deeper(source, room) THEN source END;
    WHEN 'append' THEN
      IF source IS NULL OR jsonb_typeof(target) <> 'array' OR _evercore_is_deeper(source, room - 1) THEN RETURN NULL; END IF;
      RETURN coalesce(target, '[]') || jsonb_build_array(source);
    ELSE RETURN NULL;
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_changed(jsonb, text, jsonb, integer) IS 'What a target becomes by an operation, or NULL.';

-- An object or array takes eight bytes and more.
CREATE OR REPLACE FUNCTION _evercore_is_deeper(value jsonb, room integer) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF room > 0 AND pg_column_size(value) <= room * 8 THEN RETURN false; END IF;
  RETURN room < 0 OR jsonb_path_exists(value, format('strict $.**{%s} ? (@.type() == "object" || @.type() == "array")', room)::jsonpath);
END $$;
COMMENT ON FUNCTION _evercore_is_deeper(jsonb, integer) IS 'Whether a value nests deeper than so many levels.';

-- The tokens of a target, those that come from the data put in; NULL where one of them is neither text nor an integer.
CREATE OR REPLACE FUNCTION _evercore_path(data jsonb, tokens text, pointers text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  path text[] := tokens;
  places text[] := pointers;
  token jsonb;
BEGIN
  IF places IS NULL THEN RETURN path; END IF;
  -- Most pointers are one name, and go without a call.
  FOR i IN 1 .. cardinality(places) LOOP
    CONTINUE WHEN places[i] IS NULL;
    token := CASE WHEN places[i] <> '' AND position('/' IN substr(places[i], 2)) = 0 AND position('~' IN places[i]) = 0 THEN data->substr(places[i], 2)
                  ELSE _evercore_at(data, places[i]) END;
    path[i] := CASE WHEN jsonb_typeof(token) = 'string' THEN token #>> '{}'
                    WHEN jsonb_typeof(token) = 'number' AND @is_integer(token::numeric)@ THEN token::numeric::bigint::text END;
    IF path[i] IS NULL THEN RETURN NULL; END IF;
  END LOOP;
  RETURN path;
END $$;
COMMENT ON FUNCTION _evercore_path(jsonb, text, text) IS 'The tokens of a target for the data of an event, or NULL.';

-- Objects on the way are made where the operation does something; through anything else there is no way.
CREATE OR REPLACE FUNCTION _evercore_change_at(state jsonb, path text[], operation text, source jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  size integer := cardinality(path);
  reached integer := size;  -- the token of the last object that is there
  object jsonb := state;
  value jsonb;
BEGIN
  IF path IS NULL OR size > @max_depth@ THEN RETURN state; END IF;
  IF size = 0 THEN RETURN CASE WHEN operation = 'set' AND jsonb_typeof(source) = 'object' THEN source ELSE state END; END IF;
  FOR i IN 1 .. size - 1 LOOP
    object := object->path[i];
    IF jsonb_typeof(object) <> 'object' THEN RETURN state; END IF;
    IF object IS NULL THEN
      reached := i;
      EXIT;
    END IF;
  END LOOP;
  IF operation = 'remove' THEN RETURN CASE WHEN reached = size THEN state #- path ELSE state END; END IF;
  value := CASE operation WHEN 'add' THEN _evercore_sum(object->path[size], source, false)
                          ELSE _evercore_changed(object->path[size], operation, source, @max_depth@ - size) END;
  IF value IS NULL THEN RETURN state; END IF;
  FOR i IN REVERSE size .. reached + 1 LOOP
    value := jsonb_build_object(path[i], value);
  END LOOP;
  RETURN jsonb_set(state, path[:reached], value);
END $$;
COMMENT ON FUNCTION _evercore_change_at(jsonb, text[], text, jsonb) IS 'A state after an operation on what stands at a path.';

-- Integers add exactly within int64, all else as doubles. What is no number counts as 0 in the target, and does nothing in the source.
CREATE OR REPLACE FUNCTION _evercore_sum(target jsonb, source jsonb, minus boolean) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  a numeric;
  b numeric;
BEGIN
  IF jsonb_typeof(source) IS DISTINCT FROM 'number' THEN RETURN NULL; END IF;
  a := CASE WHEN jsonb_typeof(target) = 'number' THEN target::numeric ELSE 0 END;
  b := source::numeric;
  -- Most sums are of integers that are spelled so.
  IF scale(a) = 0 AND scale(b) = 0 AND abs(a) + abs(b) <= 9223372036854775807 THEN RETURN to_jsonb(CASE WHEN minus THEN a - b ELSE a + b END); END IF;
  RETURN _evercore_exact_sum(a, b, minus);
END $$;
COMMENT ON FUNCTION _evercore_sum(jsonb, jsonb, boolean) IS 'The sum or difference of two numbers of a state, or NULL.';

-- A sum of doubles is the decimal number that it is spelled as, in the fewest digits, and so are later sums on it. jsonb would print one from
-- 2^63 on as an integer, which no payload may hold: with a digit after the point it is none.
CREATE OR REPLACE FUNCTION _evercore_exact_sum(a numeric, b numeric, minus boolean) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  total numeric;
  places integer;  -- that are zeros
  double double precision;
BEGIN
  IF @is_integer(a)@ AND @is_integer(b)@ THEN
    total := CASE WHEN minus THEN a - b ELSE a + b END;
    IF total BETWEEN -9223372036854775808 AND 9223372036854775807 THEN RETURN to_jsonb(trim_scale(total)); END IF;
  END IF;
  double := CASE WHEN NOT (@is_plain_double(a)@ AND @is_plain_double(b)@) THEN _evercore_edge_sum(a, b, minus)
                 WHEN minus THEN a::double precision - b::double precision
                 ELSE a::double precision + b::double precision END;
  total := CASE WHEN current_setting('extra_float_digits')::integer > 0 THEN double::text ELSE _evercore_digits(double) END::numeric;
  -- The server passes over digits on the border between two doubles, though they would read back the same. Beyond 10^41 a border has more digits.
  IF abs(total) BETWEEN 9007199254740992 AND 1e41 THEN
    places := length(trunc(abs(total))::text) - 16;
    WHILE round(total, -places)::double precision = double LOOP
      total := round(total, -places);
      places := places + 1;
    END LOOP;
  END IF;
  RETURN to_jsonb(CASE WHEN total BETWEEN -9223372036854775808 AND 9223372036854775807 OR scale(total) > 0 THEN total ELSE round(total, 1) END);
END $$;
COMMENT ON FUNCTION _evercore_exact_sum(numeric, numeric, boolean) IS 'The sum or difference of two numbers, or NULL where it is not finite.';

CREATE OR REPLACE FUNCTION _evercore_edge_sum(a numeric, b numeric, minus boolean) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN _evercore_read_double(a) + CASE WHEN minus THEN -_evercore_read_double(b) ELSE _evercore_read_double(b) END;
EXCEPTION WHEN numeric_value_out_of_range THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_edge_sum(numeric, numeric, boolean) IS 'A sum of doubles that are next to 0 or to infinity: NULL where it is not finite.';

CREATE OR REPLACE FUNCTION _evercore_digits(number double precision) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET extra_float_digits = 1 AS $$
BEGIN
  RETURN number::text;
END $$;
COMMENT ON FUNCTION _evercore_digits(double precision) IS 'A double in the fewest digits that read back the same.';
