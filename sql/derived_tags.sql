-- The tags that the declaration of an event type derives from the data: at an append, and for events that are there.

-- A JSON Pointer goes through objects and by index through arrays. The server's own path takes more for an index: 01, -1, blanks.
CREATE OR REPLACE FUNCTION _evercore_at(data jsonb, pointer text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  token text COLLATE "C";
  path text[];
BEGIN
  IF pointer = '' THEN RETURN data; END IF;
  IF position('/' IN substr(pointer, 2)) = 0 AND position('~' IN pointer) = 0 AND jsonb_typeof(data) = 'object' THEN RETURN data->substr(pointer, 2); END IF;
  path := CASE pointer WHEN '/' THEN '{""}' ELSE string_to_array(substr(pointer, 2), '/') END;
  IF position('~' IN pointer) > 0 THEN path := ARRAY(SELECT replace(replace(t, '~1', '/'), '~0', '~') FROM unnest(path) WITH ORDINALITY AS u (t, no) ORDER BY u.no); END IF;
  IF pointer COLLATE "C" !~ '/[[:space:]]*[-+]?[0-9]' THEN RETURN data #> path; END IF;
  FOREACH token IN ARRAY path LOOP
    IF jsonb_typeof(data) = 'array' THEN
      data := CASE WHEN token ~ '^(0|[1-9][0-9]{0,8})$' THEN data->token::integer END;
    ELSE
      data := data->token;
    END IF;
  END LOOP;
  RETURN data;
END $$;
COMMENT ON FUNCTION _evercore_at(jsonb, text) IS 'What stands at a JSON Pointer, or NULL.';

-- A string or an integer, or of an array those that are. jsonb keeps the exact value of a number, however it is spelled.
CREATE OR REPLACE FUNCTION _evercore_tag_values(value jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  CASE jsonb_typeof(value)
    WHEN 'string' THEN RETURN ARRAY[value #>> '{}'];
    WHEN 'number' THEN RETURN CASE WHEN value::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND value::numeric % 1 = 0
                                   THEN ARRAY[value::numeric::bigint::text] ELSE '{}' END;
    WHEN 'array' THEN RETURN ARRAY(SELECT v.part FROM jsonb_array_elements(value) WITH ORDINALITY AS e (element, no), unnest(_evercore_tag_values(e.element)) AS v (part)
                                    WHERE jsonb_typeof(e.element) <> 'array' ORDER BY e.no);
    ELSE RETURN '{}';
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_tag_values(jsonb) IS 'What a value of the data gives for tags.';

-- Each once, in the order of the declaration and of the data.
CREATE OR REPLACE FUNCTION _evercore_derive(declared json, data jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(SELECT t.tag FROM (
    SELECT (d.prefix || ':' || v.value) COLLATE "C" AS tag, d.no AS place, v.no
      FROM json_each_text(declared) WITH ORDINALITY AS d (prefix, pointer, no),
           unnest(_evercore_tag_values(_evercore_at(data, d.pointer))) WITH ORDINALITY AS v (value, no)) t
    GROUP BY t.tag ORDER BY min((t.place << 32) + t.no));
END $$;
COMMENT ON FUNCTION _evercore_derive(json, jsonb) IS 'The tags that a declaration derives from data.';

-- Stored data may be older than the payload profile. Data that cannot be read give no tags.
CREATE OR REPLACE FUNCTION _evercore_derive_stored(declared json, steps text[], data json) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN _evercore_derive(declared, @upcast(_evercore_jsonb(data); steps)@);
EXCEPTION WHEN data_exception OR statement_too_complex THEN
  RETURN '{}';
END $$;
COMMENT ON FUNCTION _evercore_derive_stored(json, text[], json) IS 'The tags that a declaration derives from the data of an event that is there.';

-- NULL where the type declares none, or the data give none. Outside READ COMMITTED a declaration that is not seen is 40001. One row has all that
-- a type declares: the schema is looked at here, too, after the tags.
CREATE OR REPLACE FUNCTION _evercore_declared_tags(type text, data text, given text[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared record;
  derived text[];
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN PERFORM _evercore_enter(); END IF;
  SELECT k.tags, k.schema, k.upcast_steps, @plainly_taken(data)@ AS taken INTO declared FROM evercore_event_type k WHERE k.name = type COLLATE "C";
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF declared.tags IS NOT NULL THEN
    derived := nullif(_evercore_derive(declared.tags, @upcast(data; declared.upcast_steps)@), '{}');
    IF derived IS NOT NULL THEN PERFORM _evercore_check_bears(_evercore_join_tags(derived, given), '', NULL); END IF;
  END IF;
  IF declared.taken IS NOT TRUE AND declared.schema IS NOT NULL THEN PERFORM _evercore_check_data(type, declared.schema, @upcast(data; declared.upcast_steps)@, ''); END IF;
  RETURN derived;
END $$;
COMMENT ON FUNCTION _evercore_declared_tags(text, text, text[]) IS
  'The tags that an event''s type derives from its data, or NULL; EV005, EV009, EV011.';

-- Derived tags come first, then those given, each once.
CREATE OR REPLACE FUNCTION _evercore_join_tags(derived text[], given text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN given IS NULL THEN derived
              ELSE derived || ARRAY(SELECT g.tag FROM unnest(given) WITH ORDINALITY AS g (tag, no) WHERE g.tag COLLATE "C" <> ALL (derived) ORDER BY g.no) END;
END $$;
COMMENT ON FUNCTION _evercore_join_tags(text[], text[]) IS 'The tags of an event: those derived, then those given.';

-- `at`: what stands before the fault in place of its code, or NULL; `row`: what stands after it.
CREATE OR REPLACE FUNCTION _evercore_check_bears(bears text[], "row" text, at text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text := CASE WHEN (SELECT max(char_length(t)) FROM unnest(bears) AS t) > @max_name@ THEN 'tag is longer than @max_name@ characters'
                     WHEN cardinality(bears) > @max_tags@ THEN 'tags are more than @max_tags@' END;
BEGIN
  IF fault IS NULL THEN RETURN; END IF;
  IF at IS NOT NULL THEN PERFORM _evercore_refuse('EV009', substr(at, 8) || fault); END IF;
  PERFORM _evercore_refuse(CASE WHEN fault LIKE 'tag is%' THEN 'EV005' ELSE 'EV009' END, fault || "row");
END $$;
COMMENT ON FUNCTION _evercore_check_bears(text[], text, text) IS 'Refuses tags that are too long or too many: EV005, EV009.';

-- For events given as an array. Their faults come later: see _evercore_check_bears.
CREATE OR REPLACE FUNCTION _evercore_add_declared(events anyarray) RETURNS anyarray
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(events) AS e WHERE (SELECT k.tags FROM evercore_event_type k WHERE k.name = e.event_type) IS NOT NULL) THEN RETURN events; END IF;
  RETURN (
    SELECT array_agg(@new_event(u.append; u.event_type; u.data; u.reference; u.metadata; u.happened; u.event_id; u.bears; nullif(cardinality(u.derived), 0))@
                     ORDER BY u.ordinality)
      FROM (SELECT d.*, CASE WHEN d.derived = '{}' THEN d.tags ELSE _evercore_join_tags(d.derived, d.tags) END AS bears
              FROM (SELECT e.*, coalesce((SELECT CASE WHEN k.tags IS NOT NULL THEN _evercore_derive(k.tags, @upcast(e.data; k.upcast_steps)@) END
                                            FROM evercore_event_type k WHERE k.name = e.event_type), '{}') AS derived
                      FROM unnest(events) WITH ORDINALITY AS e OFFSET 0) d OFFSET 0) u);
END $$;
COMMENT ON FUNCTION _evercore_add_declared(anyarray) IS 'Events with the tags that their types declare.';

-- Of a plain document of appends.
CREATE OR REPLACE FUNCTION _evercore_declares(parsed jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM (SELECT DISTINCT (e->>'event_type') COLLATE "C" AS name FROM jsonb_array_elements(parsed) AS a, jsonb_array_elements(a->'events') AS e) t
                  WHERE (SELECT k.tags IS NOT NULL OR k.schema IS NOT NULL FROM evercore_event_type k WHERE k.name = t.name));
END $$;
COMMENT ON FUNCTION _evercore_declares(jsonb) IS 'Whether one of the event types of a document declares tags or a schema.';
