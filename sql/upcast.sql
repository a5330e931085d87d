-- Upcasts: how data in an older shape of their event type are brought into that of today, told as a JSON array of operations. What is
-- stored stays as it is; folds, schemas, declared tags and evercore_replay see it upcast.
--
-- No version number is kept: data in the new shape stay as they are, which a declaration makes sure of. What it takes away has nothing to do
-- with what it writes, and nothing written lies below anything else that is. So a step that has nothing left to do has nothing to do for ever.
--
-- A declaration is kept as it was given, since the order of members counts and jsonb forgets it, and beside that as steps: an array of arrays
-- of an operation, the tokens of what decides whether there is anything to do, those of what is written, and the value of a default.

-- == What an upcast is ==

CREATE OR REPLACE FUNCTION _evercore_is_member_pointer(pointer text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN coalesce(pointer COLLATE "C" ~ '^/([^~]|~[01])*$', false);
END $$;
COMMENT ON FUNCTION _evercore_is_member_pointer(text) IS 'Whether a text is a JSON Pointer to something within a document.';

-- One row for each pointer that is named, in order: what it takes away and what it writes, as pointers. Of upcasts that were damaged, too,
-- what can be read.
CREATE OR REPLACE FUNCTION _evercore_upcast_entries(upcast json)
RETURNS TABLE (place text, operation text, taken text, written text, value json)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 3 SET jit = off AS $$
BEGIN
  RETURN QUERY
  SELECT '/' || r.no - 1 || _evercore_token(o.key) || t.place, o.key, CASE WHEN o.key <> 'default' THEN t.pointer END,
         CASE o.key WHEN 'rename' THEN regexp_replace(t.pointer, '/[^/]*$', '') || _evercore_token(t.value #>> '{}')
                    WHEN 'move' THEN t.value #>> '{}' WHEN 'default' THEN t.pointer END, t.value
    FROM json_array_elements(CASE json_typeof(upcast) WHEN 'array' THEN upcast ELSE '[]' END) WITH ORDINALITY AS r (value, no),
         json_each(CASE json_typeof(r.value) WHEN 'object' THEN r.value ELSE '{}' END) WITH ORDINALITY AS o (key, value, no),
         LATERAL (SELECT _evercore_token(m.key) AS place, m.key AS pointer, m.value, m.no
                    FROM json_each(CASE WHEN o.key IN ('rename', 'move', 'default') AND json_typeof(o.value) = 'object' THEN o.value ELSE '{}' END)
                         WITH ORDINALITY AS m (key, value, no)
                  UNION ALL
                  SELECT '/' || e.no - 1, e.value #>> '{}', NULL, e.no
                    FROM json_array_elements(CASE WHEN o.key = 'remove' AND json_typeof(o.value) = 'array' THEN o.value ELSE '[]' END)
                         WITH ORDINALITY AS e (value, no)) t
   ORDER BY r.no, o.no, t.no;
END $$;
COMMENT ON FUNCTION _evercore_upcast_entries(json) IS 'The pointers that an upcast names.';

CREATE OR REPLACE FUNCTION _evercore_upcast_operation_fault(operation text, body json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  CASE
    WHEN operation IN ('rename', 'move', 'default') THEN
      IF json_typeof(body) <> 'object' THEN RETURN ': not an object'; END IF;
      RETURN (SELECT _evercore_token(m.key) || f.words FROM json_each(body) WITH ORDINALITY AS m (key, value, no), LATERAL (
                SELECT CASE WHEN NOT _evercore_is_member_pointer(m.key) THEN ': not a pointer'
                            WHEN operation = 'rename' AND json_typeof(m.value) <> 'string' THEN ': not a name'
                            WHEN operation = 'move' AND (json_typeof(m.value) <> 'string' OR NOT _evercore_is_member_pointer(m.value #>> '{}'))
                              THEN ': not a pointer' END AS words) f
               WHERE f.words IS NOT NULL ORDER BY m.no LIMIT 1);
    WHEN operation = 'remove' THEN
      IF json_typeof(body) <> 'array' THEN RETURN ': not an array'; END IF;
      RETURN (SELECT '/' || e.no - 1 || ': not a pointer' FROM json_array_elements(body) WITH ORDINALITY AS e (value, no)
               WHERE json_typeof(e.value) <> 'string' OR NOT _evercore_is_member_pointer(e.value #>> '{}') ORDER BY e.no LIMIT 1);
    ELSE RETURN ': unknown operation';
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_upcast_operation_fault(text, json) IS 'What is wrong with an operation of an upcast, after its place, or NULL.';

-- Of a sound one: the later of two pointers that conflict, and the first of those before it. A pointer that holds another, or is the same, is one of
-- the beginnings of that.
CREATE OR REPLACE FUNCTION _evercore_upcast_conflict(upcast json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET jit = off AS $$
BEGIN
  RETURN (
    WITH entry AS MATERIALIZED (
      SELECT e.place, e.no, p.pointer, p.takes
        FROM ROWS FROM (_evercore_upcast_entries(upcast)) WITH ORDINALITY AS e (place, operation, taken, written, value, no),
             LATERAL (VALUES (e.taken, true), (e.written, false)) AS p (pointer, takes) WHERE p.pointer IS NOT NULL
    ), beginning AS MATERIALIZED (
      SELECT e.no, e.takes, array_to_string(p.parts[:i], '/') AS pointer, i < cardinality(p.parts) AS holds
        FROM entry e, LATERAL (SELECT string_to_array(e.pointer, '/') AS parts) p, generate_series(2, cardinality(p.parts)) AS i
    ), conflict AS (
      SELECT greatest(e.no, b.no) AS later, least(e.no, b.no) AS earlier
        FROM entry e JOIN beginning b ON b.pointer = e.pointer AND (b.takes <> e.takes OR NOT b.takes AND b.holds)
       ORDER BY 1, 2 LIMIT 1)
    SELECT b.place || ': conflicts with ' || CASE c.earlier WHEN c.later THEN 'itself' ELSE a.place END
      FROM conflict c JOIN entry b ON b.no = c.later JOIN entry a ON a.no = c.earlier LIMIT 1);
END $$;
COMMENT ON FUNCTION _evercore_upcast_conflict(json) IS 'The first pointer of an upcast that conflicts with one before it, or NULL.';

-- The first fault in the order of the text, then the first conflict.
CREATE OR REPLACE FUNCTION _evercore_upcast_fault(upcast json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  one record;
  fault text;
BEGIN
  IF json_typeof(upcast) <> 'array' THEN RETURN 'not an array'; END IF;
  IF octet_length(upcast::text) > @max_upcast@ OR (SELECT count(*) FROM _evercore_upcast_entries(upcast)) > @max_targets@ THEN RETURN 'too large'; END IF;
  FOR one IN SELECT o.* FROM _evercore_operations(upcast) o LOOP
    fault := CASE WHEN one.operation IS NULL THEN ': not an operation' ELSE _evercore_upcast_operation_fault(one.operation, one.body) END;
    IF fault IS NOT NULL THEN RETURN one.place || fault; END IF;
  END LOOP;
  RETURN _evercore_upcast_conflict(upcast);
END $$;
COMMENT ON FUNCTION _evercore_upcast_fault(json) IS 'What is wrong with an upcast, or NULL.';

CREATE OR REPLACE FUNCTION _evercore_pointer_tokens(pointer text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(SELECT replace(replace(t.part, '~1', '/'), '~0', '~')
                 FROM unnest(CASE pointer WHEN '/' THEN '{""}' ELSE string_to_array(substr(pointer, 2), '/') END) WITH ORDINALITY AS t (part, no) ORDER BY t.no);
END $$;
COMMENT ON FUNCTION _evercore_pointer_tokens(text) IS 'The reference tokens of a JSON Pointer to something within a document.';

CREATE OR REPLACE FUNCTION _evercore_upcast_steps(upcast json) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT array_agg(ARRAY[e.operation, _evercore_pointer_tokens(coalesce(e.taken, e.written))::text,
                                 CASE WHEN e.written IS NOT NULL THEN _evercore_pointer_tokens(e.written)::text END,
                                 CASE e.operation WHEN 'default' THEN e.value::text END] ORDER BY e.no)
            FROM ROWS FROM (_evercore_upcast_entries(upcast)) WITH ORDINALITY AS e (place, operation, taken, written, value, no)
           WHERE (e.operation = 'default' OR _evercore_is_member_pointer(e.taken)) AND (e.operation = 'remove' OR _evercore_is_member_pointer(e.written)));
END $$;
COMMENT ON FUNCTION _evercore_upcast_steps(json) IS 'An upcast as steps of one pointer each; NULL where there are none.';

-- == Data upcast ==

-- Through objects alone: which token is the first that is absent, 0 where none is, NULL where the way leads through what is no object.
CREATE OR REPLACE FUNCTION _evercore_absent(data jsonb, path text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  FOR i IN 1 .. cardinality(path) LOOP
    IF jsonb_typeof(data) <> 'object' THEN RETURN NULL; END IF;
    data := data->path[i];
    IF data IS NULL THEN RETURN i; END IF;
  END LOOP;
  RETURN 0;
END $$;
COMMENT ON FUNCTION _evercore_absent(jsonb, text[]) IS 'The first token of a path through objects at which nothing stands.';

-- NULL where the step does nothing.
CREATE OR REPLACE FUNCTION _evercore_upcast_step(data jsonb, step text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  taken text[] := CASE WHEN step[1] <> 'default' THEN step[2] END;
  written text[] := step[3];
  size integer := cardinality(written);
  reached integer;
  value jsonb;
BEGIN
  IF _evercore_absent(data, step[2]::text[]) IS DISTINCT FROM 0 AND taken IS NOT NULL THEN RETURN NULL; END IF;
  IF written IS NULL THEN RETURN data #- taken; END IF;
  value := CASE WHEN taken IS NULL THEN step[4]::jsonb ELSE data #> taken END;
  reached := _evercore_absent(data, written);
  IF coalesce(reached, 0) = 0 OR size > @max_depth@ OR _evercore_is_deeper(value, @max_depth@ - size) THEN RETURN NULL; END IF;
  FOR i IN REVERSE size .. reached + 1 LOOP
    value := jsonb_build_object(written[i], value);
  END LOOP;
  RETURN jsonb_set(CASE WHEN taken IS NULL THEN data ELSE data #- taken END, written[:reached], value);
END $$;
COMMENT ON FUNCTION _evercore_upcast_step(jsonb, text[]) IS 'Data after a step of an upcast, or NULL.';

-- Most data are in the new shape, and most steps have nothing to do.
CREATE OR REPLACE FUNCTION _evercore_upcast_data(data jsonb, steps text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  step text[];
BEGIN
  IF @does_much@ THEN RETURN (SELECT _evercore_edited(data, e.places, e.members, e.sources, e.givens, e.nested) FROM _evercore_upcast_edits(data, steps) e); END IF;
  FOREACH step SLICE 1 IN ARRAY steps LOOP
    CONTINUE WHEN @has_nothing_to_do@;
    data := coalesce(_evercore_upcast_step(data, step), data);
  END LOOP;
  RETURN data;
END $$;
COMMENT ON FUNCTION _evercore_upcast_data(jsonb, text[]) IS 'Data in the shape of today.';

-- An object with a member set, or taken away where the value is NULL. The others stay as they are spelled.
CREATE OR REPLACE FUNCTION _evercore_with_member(object json, name text, value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT '{' || coalesce(string_agg(to_json(m.key) || ':' || m.value, ',' ORDER BY m.no), '') || '}' FROM (
            SELECT e.key, CASE e.key WHEN name THEN _evercore_with_member.value ELSE e.value::text END AS value, e.no
              FROM json_each(object) WITH ORDINALITY AS e (key, value, no)
            UNION ALL
            SELECT name, _evercore_with_member.value, 9223372036854775807 WHERE object->name IS NULL) m
           WHERE m.value IS NOT NULL);
END $$;
COMMENT ON FUNCTION _evercore_with_member(json, text, text) IS 'The text of an object with another member.';

-- Objects that are missing on the way are made.
CREATE OR REPLACE FUNCTION _evercore_with_value(document json, path text[], value json) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  objects json[] := ARRAY[document];
  held text := value;
BEGIN
  FOR i IN 1 .. cardinality(path) - 1 LOOP
    objects[i + 1] := objects[i]->path[i];
  END LOOP;
  FOR i IN REVERSE cardinality(path) .. 1 LOOP
    held := _evercore_with_member(coalesce(objects[i], '{}'), path[i], held);
  END LOOP;
  RETURN held;
END $$;
COMMENT ON FUNCTION _evercore_with_value(json, text[], json) IS 'A document with a value at a path, or with nothing there.';

-- The same as text: what each step does is told by jsonb, and done to the text, whose numbers and texts keep their spelling.
CREATE OR REPLACE FUNCTION _evercore_upcast_document(document json, steps text[]) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  data jsonb := _evercore_jsonb(document);
  step text[];
  done jsonb;
  taken text[];
  value json;
BEGIN
  IF json_typeof(document) <> 'object' THEN RETURN document; END IF;
  IF @does_much@ THEN RETURN (SELECT _evercore_edited_text(document, e.places, e.members, e.sources, e.givens, e.nested) FROM _evercore_upcast_edits(data, steps) e); END IF;
  FOREACH step SLICE 1 IN ARRAY steps LOOP
    CONTINUE WHEN @has_nothing_to_do@;
    done := _evercore_upcast_step(data, step);
    CONTINUE WHEN done IS NULL;
    data := done;
    taken := CASE WHEN step[1] <> 'default' THEN step[2] END;
    value := CASE WHEN taken IS NULL THEN step[4]::json ELSE document #> taken END;
    IF taken IS NOT NULL THEN document := _evercore_with_value(document, taken, NULL); END IF;
    IF step[3] IS NOT NULL THEN document := _evercore_with_value(document, step[3]::text[], value); END IF;
  END LOOP;
  RETURN document;
END $$;
COMMENT ON FUNCTION _evercore_upcast_document(json, text[]) IS 'A document of data in the shape of today.';

CREATE OR REPLACE FUNCTION evercore_upcast(event_type text, data text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  steps text[];
BEGIN
  IF data IS NULL THEN PERFORM _evercore_refuse('EV009', 'data is NULL'); END IF;
  PERFORM _evercore_payload(data, 'data'), _evercore_name(event_type, 'event_type', @max_name@), _evercore_ready();
  steps := (SELECT k.upcast_steps FROM evercore_event_type k WHERE k.name = event_type COLLATE "C");
  RETURN CASE WHEN steps IS NULL THEN data::json ELSE _evercore_upcast_document(data::json, steps) END;
END $$;
COMMENT ON FUNCTION evercore_upcast(text, text) IS 'Data in the shape that their event type has today; as they are where that declares no upcast.';

-- == Declaring ==

-- The member of options that declares an upcast, as it was given: NULL where there is none, 'null' where it takes one away.
CREATE OR REPLACE FUNCTION _evercore_option_upcast(options text) RETURNS json
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json := options::json->'upcast';
  fault text;
BEGIN
  IF declared IS NULL OR json_typeof(declared) = 'null' THEN RETURN declared; END IF;
  fault := _evercore_upcast_fault(declared);
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV009', 'upcast: ' || fault); END IF;
  RETURN CASE json_array_length(declared) WHEN 0 THEN 'null' ELSE declared END;
END $$;
COMMENT ON FUNCTION _evercore_option_upcast(text) IS 'The upcast of the options of an event type; EV009.';

-- Blanks, escapes and the spelling of numbers make no difference, the order of members does.
CREATE OR REPLACE FUNCTION _evercore_json_pieces(document json) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT jsonb_agg(CASE WHEN m.part[1] IS NOT NULL THEN m.part[1]::jsonb ELSE to_jsonb(ARRAY[m.part[2]]) END ORDER BY m.no)
            FROM regexp_matches(document::text, '(' || @string@ || '|[-a-zA-Z0-9.+]+)|([][{}:,])', 'g') WITH ORDINALITY AS m (part, no));
END $$;
COMMENT ON FUNCTION _evercore_json_pieces(json) IS 'A document piece by piece, to compare it in order.';

CREATE OR REPLACE FUNCTION _evercore_changes_upcast(type text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json := _evercore_option_upcast(options);
  present record;
BEGIN
  IF declared IS NULL THEN RETURN false; END IF;
  SELECT k.upcast, k.upcast_steps INTO present FROM evercore_event_type k WHERE k.name = type COLLATE "C";
  IF json_typeof(declared) = 'null' OR present.upcast IS NULL THEN RETURN json_typeof(declared) <> 'null' OR present.upcast IS NOT NULL; END IF;
  RETURN _evercore_stored_upcast_fault(present.upcast, present.upcast_steps) IS NOT NULL
      OR _evercore_json_pieces(declared) IS DISTINCT FROM _evercore_json_pieces(present.upcast);
END $$;
COMMENT ON FUNCTION _evercore_changes_upcast(text, text) IS 'Whether options change the upcast of an event type.';

-- Under the lock of declarations. States that hold events of the type become others.
CREATE OR REPLACE FUNCTION _evercore_change_upcast(type text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json := _evercore_option_upcast(options);
BEGIN
  IF NOT _evercore_changes_upcast(type, options) THEN RETURN false; END IF;
  IF json_typeof(declared) = 'null' THEN declared := NULL; END IF;
  PERFORM _evercore_require_uncompacted_folds(type);
  UPDATE evercore_event_type k SET upcast = declared, upcast_steps = _evercore_upcast_steps(declared) WHERE k.name = type COLLATE "C";
  PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type'), _evercore_drop_engine_snapshots(type);
  RETURN true;
END $$;
COMMENT ON FUNCTION _evercore_change_upcast(text, text) IS 'Changes the upcast of an event type where options say another, and gives whether they do; EV010.';

-- The columns may hold anything that their owner wrote there.
CREATE OR REPLACE FUNCTION _evercore_stored_upcast_fault(upcast json, steps text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  IF upcast IS NULL AND steps IS NULL THEN RETURN NULL; END IF;
  RETURN coalesce(_evercore_exact_fault(upcast::text, NULL), _evercore_upcast_fault(upcast),
                  CASE WHEN steps IS DISTINCT FROM _evercore_upcast_steps(upcast) THEN 'other steps' END);
END $$;
COMMENT ON FUNCTION _evercore_stored_upcast_fault(json, text[]) IS 'What is wrong with a stored upcast, or NULL.';

-- As this release makes them of upcasts that are sound.
CREATE OR REPLACE FUNCTION _evercore_mend_upcast_steps() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  UPDATE evercore_event_type k SET upcast_steps = CASE WHEN k.upcast IS NOT NULL THEN _evercore_upcast_steps(k.upcast) END
   WHERE CASE WHEN k.upcast IS NULL THEN k.upcast_steps IS NOT NULL ELSE _evercore_stored_upcast_fault(k.upcast, k.upcast_steps) = 'other steps' END;
END $$;
COMMENT ON FUNCTION _evercore_mend_upcast_steps() IS 'Makes the steps of declared upcasts that are missing or different.';
