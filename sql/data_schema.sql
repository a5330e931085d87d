-- Whether a schema takes a document, and the first fault of one that it does not: at each place the keywords are tried in the order of the
-- contract, those that go deeper there and then, members by code point, elements in order.
--
-- What is to be done is a stack, since the server's has not room for 512 levels. A fault ends all, unless it stands within a trial (an
-- alternative, a condition, an element that is looked for): then it only ends that. A value is denoted by its path, so that deep data are not
-- kept once for each of their levels.

-- == Numbers ==

-- An integer is itself; every other number is the double that it reads to, spelled shortest. Of at most 15 digits it is that already.
CREATE OR REPLACE FUNCTION _evercore_exact(value numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN length(value::text) <= 16 OR @is_integer(value)@ THEN value ELSE _evercore_near_double(value) END;
END $$;
COMMENT ON FUNCTION _evercore_exact(numeric) IS 'A number of JSON as one to compare with.';

CREATE OR REPLACE FUNCTION _evercore_near_double(value numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET extra_float_digits = 1 AS $$
DECLARE
  near double precision;
BEGIN
  near := _evercore_read_double(value);
  RETURN CASE WHEN near >= -9223372036854775808.0 AND near < 9223372036854775808.0 AND near = trunc(near) THEN near::bigint::numeric ELSE near::text::numeric END;
END $$;
COMMENT ON FUNCTION _evercore_near_double(numeric) IS 'A number as the double that it reads to.';

-- The same of all numbers in a document, so that documents which are equal are equal as jsonb. Only long ones can differ.
CREATE OR REPLACE FUNCTION _evercore_comparable(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  printed text COLLATE "C" := value::text;
BEGIN
  IF printed !~ '[0-9.]{17}' THEN RETURN value; END IF;
  RETURN (SELECT string_agg(CASE WHEN m.part[1] ~ '^-?[0-9]' THEN _evercore_exact(m.part[1]::numeric)::text ELSE m.part[1] END, '' ORDER BY m.no)
            FROM regexp_matches(printed, '(' || @string@ || '|-?[0-9.]+|[^-0-9"]+)', 'g') WITH ORDINALITY AS m (part, no))::jsonb;
END $$;
COMMENT ON FUNCTION _evercore_comparable(jsonb) IS 'A document with its numbers as they are compared.';

-- == Formats ==

-- Second 60 is the last one of a day in UTC.
CREATE OR REPLACE FUNCTION _evercore_is_of_format(value text, format text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  given text COLLATE "C" := value;
  part integer[];
  days integer;
  minutes integer;
BEGIN
  IF format = 'uuid' THEN RETURN given ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'; END IF;
  part := regexp_match(given, '^([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})' || CASE format WHEN 'date' THEN '$' ELSE
    '[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:[.][0-9]+)?(?:[Zz]|([+-](?:[01][0-9]|2[0-3])):([0-5][0-9]))$' END)::integer[];
  IF part IS NULL THEN RETURN false; END IF;
  days := CASE WHEN part[2] <> 2 THEN 30 + (part[2] + part[2] / 8) % 2 WHEN part[1] % 4 = 0 AND part[1] % 100 <> 0 OR part[1] % 400 = 0 THEN 29 ELSE 28 END;
  IF part[3] NOT BETWEEN 1 AND days THEN RETURN false; END IF;
  IF (part[6] = 60) IS NOT TRUE THEN RETURN true; END IF;
  minutes := CASE WHEN given ~ '-[0-9]{2}:[0-9]{2}$' THEN -1 ELSE 1 END * (abs(coalesce(part[7], 0)) * 60 + coalesce(part[8], 0));
  RETURN (part[4] * 60 + part[5] - minutes + 2 * 1440) % 1440 = 1439;
END $$;
COMMENT ON FUNCTION _evercore_is_of_format(text, text) IS 'Whether a text is a date-time, a date or a uuid.';

-- == One schema at one value ==

-- The first fault among the keywords that look at nothing deeper: type, enum, const, and those of numbers and strings.
CREATE OR REPLACE FUNCTION _evercore_schema_value_fault(schema jsonb, value jsonb, kind text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  number numeric;
  length bigint;
  compared jsonb;
BEGIN
  IF kind = 'number' THEN number := _evercore_exact(value::numeric); END IF;
  IF schema ? 'type' AND NOT schema->'type' ? kind AND NOT (kind = 'number' AND schema->'type' ? 'integer' AND @is_integer((value::numeric))@) THEN
    RETURN 'type';
  END IF;
  IF schema ? 'enum' AND NOT (kind NOT IN ('object', 'array') AND schema->'enum' @> jsonb_build_array(value)) THEN
    compared := _evercore_comparable(value);
    PERFORM FROM jsonb_array_elements(schema->'enum') AS e (choice) WHERE e.choice = value OR _evercore_comparable(e.choice) = compared;
    IF NOT FOUND THEN RETURN 'enum'; END IF;
  END IF;
  IF schema ? 'const' AND _evercore_comparable(schema->'const') <> _evercore_comparable(value) THEN RETURN 'const'; END IF;
  IF kind = 'number' THEN
    RETURN CASE WHEN number < _evercore_exact((schema->'minimum')::numeric) THEN 'minimum'
                WHEN number > _evercore_exact((schema->'maximum')::numeric) THEN 'maximum'
                WHEN number <= _evercore_exact((schema->'exclusiveMinimum')::numeric) THEN 'exclusiveMinimum'
                WHEN number >= _evercore_exact((schema->'exclusiveMaximum')::numeric) THEN 'exclusiveMaximum' END;
  ELSIF kind = 'string' AND schema ?| '{minLength,maxLength}' THEN
    length := char_length(value #>> '{}');
    RETURN CASE WHEN length < (schema->'minLength')::numeric THEN 'minLength' WHEN length > (schema->'maxLength')::numeric THEN 'maxLength' END;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_schema_value_fault(jsonb, jsonb, text) IS 'The first keyword that a value is at fault by in itself, or NULL.';

-- What else there is to do for a value, in order: schemas to try on its members and elements (they have a token), on its names, and on the
-- value itself; trials; and faults that are certain already.
CREATE OR REPLACE FUNCTION _evercore_schema_parts(schema jsonb, held jsonb, kind text)
RETURNS TABLE (op text, part jsonb, holder text, token text, turn bigint, amount bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
DECLARE
  prefix bigint;
BEGIN
  IF kind = 'object' THEN
    IF schema ? 'properties' THEN
      RETURN QUERY SELECT 'schema', p.value, 'properties', p.key, NULL::bigint, NULL::bigint FROM jsonb_each(schema->'properties') AS p WHERE held ? p.key ORDER BY p.key COLLATE "C";
    END IF;
    IF schema ? 'required' AND NOT held ?& ARRAY(SELECT jsonb_array_elements_text(schema->'required')) THEN
      RETURN QUERY VALUES ('fault', NULL::jsonb, 'required', NULL, NULL::bigint, NULL::bigint);
    END IF;
    IF schema ? 'additionalProperties' THEN
      RETURN QUERY SELECT 'schema', CASE WHEN lead(k.name) OVER (ORDER BY k.name COLLATE "C") IS NULL THEN schema->'additionalProperties' END,
                          'additionalProperties', k.name, NULL::bigint, NULL::bigint
                     FROM jsonb_object_keys(held) AS k (name) WHERE (schema->'properties' ? k.name) IS NOT TRUE ORDER BY k.name COLLATE "C";
    END IF;
    IF schema ? 'propertyNames' THEN
      RETURN QUERY SELECT 'name', CASE WHEN lead(k.name) OVER (ORDER BY k.name COLLATE "C") IS NULL THEN schema->'propertyNames' END, 'propertyNames', k.name, NULL::bigint, NULL::bigint
                     FROM jsonb_object_keys(held) AS k (name) ORDER BY k.name COLLATE "C";
    END IF;
    IF schema ?| '{minProperties,maxProperties}' THEN
      prefix := (SELECT count(*) FROM jsonb_object_keys(held));
      IF prefix < (schema->'minProperties')::numeric THEN RETURN QUERY VALUES ('fault', NULL::jsonb, 'minProperties', NULL, NULL::bigint, NULL::bigint); END IF;
      IF prefix > (schema->'maxProperties')::numeric THEN RETURN QUERY VALUES ('fault', NULL::jsonb, 'maxProperties', NULL, NULL::bigint, NULL::bigint); END IF;
    END IF;
  ELSIF kind = 'array' THEN
    prefix := coalesce(jsonb_array_length(schema->'prefixItems'), 0);
    IF schema ? 'items' THEN
      RETURN QUERY SELECT 'items', schema->'items', 'items', NULL, prefix, greatest(prefix, jsonb_array_length(held));
    END IF;
    IF prefix > 0 THEN
      RETURN QUERY SELECT 'schema', schema->'prefixItems'->i::integer, 'prefixItems', i::text, NULL::bigint, NULL::bigint
                     FROM generate_series(0, least(prefix, jsonb_array_length(held)) - 1) AS i ORDER BY i;
    END IF;
    IF schema ? 'contains' THEN
      RETURN QUERY SELECT 'contains', jsonb_build_object('contains', schema->'contains', 'minContains', coalesce(schema->'minContains', '1'), 'maxContains', schema->'maxContains'),
                          'contains', NULL, 0::bigint, jsonb_array_length(held)::bigint;
    END IF;
    IF jsonb_array_length(held) < (schema->'minItems')::numeric THEN RETURN QUERY VALUES ('fault', NULL::jsonb, 'minItems', NULL, NULL::bigint, NULL::bigint); END IF;
    IF jsonb_array_length(held) > (schema->'maxItems')::numeric THEN RETURN QUERY VALUES ('fault', NULL::jsonb, 'maxItems', NULL, NULL::bigint, NULL::bigint); END IF;
    IF schema->'uniqueItems' = 'true' AND jsonb_array_length(held) > (SELECT count(DISTINCT _evercore_comparable(e)) FROM jsonb_array_elements(held) AS e) THEN
      RETURN QUERY VALUES ('fault', NULL::jsonb, 'uniqueItems', NULL, NULL::bigint, NULL::bigint);
    END IF;
  END IF;
  IF schema ? 'allOf' THEN
    RETURN QUERY SELECT 'schema', a.value, 'allOf', NULL, NULL::bigint, NULL::bigint FROM jsonb_array_elements(schema->'allOf') WITH ORDINALITY AS a (value, no) ORDER BY a.no;
  END IF;
  IF schema ? 'anyOf' THEN RETURN QUERY SELECT 'anyOf', schema->'anyOf', 'anyOf', NULL, 0::bigint, jsonb_array_length(schema->'anyOf')::bigint; END IF;
  IF schema ? 'oneOf' THEN RETURN QUERY SELECT 'oneOf', schema->'oneOf', 'oneOf', NULL, 0::bigint, jsonb_array_length(schema->'oneOf')::bigint; END IF;
  IF schema ? 'not' THEN RETURN QUERY SELECT 'not', jsonb_build_array(schema->'not'), 'not', NULL, 0::bigint, 1::bigint; END IF;
  IF schema ? 'if' AND schema ?| '{then,else}' THEN
    RETURN QUERY SELECT 'if', jsonb_build_array(schema->'if', schema->'then', schema->'else'), 'if', NULL, 0::bigint, 1::bigint;
  END IF;
  IF kind = 'object' AND schema ? 'dependentRequired' THEN
    RETURN QUERY SELECT 'fault', NULL::jsonb, 'dependentRequired', NULL, NULL::bigint, NULL::bigint FROM jsonb_each(schema->'dependentRequired') AS d
                  WHERE held ? d.key AND NOT held ?& ARRAY(SELECT jsonb_array_elements_text(d.value)) LIMIT 1;
  END IF;
  IF kind = 'object' AND schema ? 'dependentSchemas' THEN
    RETURN QUERY SELECT 'schema', d.value, 'dependentSchemas', NULL, NULL::bigint, NULL::bigint FROM jsonb_each(schema->'dependentSchemas') AS d WHERE held ? d.key ORDER BY d.key COLLATE "C";
  END IF;
  IF schema ? '$ref' THEN RETURN QUERY SELECT '$ref', schema->'$ref', '$ref', NULL, 0::bigint, 1::bigint; END IF;
  IF kind = 'string' AND schema ? 'format' AND NOT _evercore_is_of_format(held #>> '{}', schema->>'format') THEN
    RETURN QUERY VALUES ('fault', NULL::jsonb, 'format', NULL, NULL::bigint, NULL::bigint);
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_schema_parts(jsonb, jsonb, text) IS 'What is to be done after a value was looked at in itself.';

-- == The whole ==

-- Whether a trial is over after `turn` turns, of which `hits` were taken, and the keyword of its fault if it has one.
CREATE OR REPLACE FUNCTION _evercore_trial(op text, part jsonb, turn bigint, amount bigint, hits bigint, OUT done boolean, OUT fault text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  done := turn = amount OR op = 'anyOf' AND hits = 1 OR op = 'oneOf' AND hits = 2;
  IF NOT done OR op = 'if' THEN RETURN; END IF;
  fault := CASE op WHEN 'not' THEN CASE WHEN hits = 1 THEN op END
                   WHEN 'contains' THEN CASE WHEN hits = 0 AND (part->'minContains')::numeric > 0 THEN op
                                             WHEN hits < (part->'minContains')::numeric THEN 'minContains'
                                             WHEN hits > (nullif(part->'maxContains', 'null'))::numeric THEN 'maxContains' END
                   ELSE CASE WHEN hits <> 1 THEN op END END;
END $$;
COMMENT ON FUNCTION _evercore_trial(text, jsonb, bigint, bigint, bigint) IS 'Whether a trial is over, and its fault.';

-- The answer of a reference at a place is kept: alternatives that lead to it again and again would take unbounded time. `seen` is a hash table,
-- a text for each bucket: digests, each followed by + (taken) or -.
CREATE OR REPLACE FUNCTION _evercore_schema_fault(root jsonb, data jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  ops text[] := '{schema}';       -- the stack: what is to be done,
  parts jsonb[] := ARRAY[root];   -- with which schema or alternatives,
  bases integer[] := '{1}';       -- which stand there, once for all members,
  holders text[] := '{false}';    -- by which keyword,
  depths integer[] := '{0}';      -- how deep in the data, at which member or element of what is above,
  tokens text[] := '{NULL}';
  named boolean[] := '{false}';   -- whether its name is meant;
  turns bigint[] := '{0}';        -- and of a trial the turn that it is at,
  amounts bigint[] := '{0}';      -- of how many,
  hits bigint[] := '{0}';         -- how many were taken,
  outers integer[] := '{0}';      -- and the trial around it
  top integer := 1;
  trial integer := 0;
  path text[] := '{}';
  place text[];
  steps bigint := 0;
  digests text[] := '{}';
  seen text[] := array_fill(''::text, '{256}');
  bucket integer;
  bound bigint := @max_schema_steps@;
  part jsonb;
  is_name boolean;
  depth integer;
  value jsonb;
  kind text;
  fault text;
  one record;
BEGIN
  LOOP
    IF fault IS NOT NULL THEN
      IF trial = 0 THEN RETURN (SELECT coalesce(string_agg(_evercore_token(u.t), '' ORDER BY u.no), '') FROM unnest(place) WITH ORDINALITY AS u (t, no)) || ': ' || fault; END IF;
      top := trial;
    ELSIF top = 0 THEN
      RETURN NULL;
    END IF;
    part := parts[bases[top]];
    depth := depths[top];
    IF depth > 0 THEN path[depth] := tokens[top]; END IF;

    IF ops[top] = 'schema' THEN
      top := top - 1;
      @count_schema_tried@
      IF jsonb_typeof(part) <> 'object' THEN
        IF part = 'false' THEN
          fault := holders[top + 1];
          place := path[:depth];
        END IF;
        CONTINUE;
      END IF;
      fault := _evercore_schema_value_fault(part, value, kind);
      IF fault IS NOT NULL THEN
        place := path[:depth];
      ELSIF kind IN ('object', 'array') OR part ?| '{allOf,anyOf,oneOf,not,if,$ref,format}' THEN
        is_name := named[top + 1];
        @lay_schema_parts@
      END IF;

    ELSIF ops[top] = 'fault' THEN
      fault := holders[top];
      place := path[:depth];

    ELSIF ops[top] = 'items' THEN
      IF turns[top] = amounts[top] THEN
        top := top - 1;
        CONTINUE;
      END IF;
      turns[top] := turns[top] + 1;
      top := top + 1;
      ops[top] := 'schema';
      bases[top] := bases[top - 1];
      holders[top] := 'items';
      depths[top] := depth + 1;
      tokens[top] := (turns[top - 1] - 1)::text;
      named[top] := false;

    ELSE
      IF outers[top] < 0 THEN  -- it begins
        IF ops[top] = '$ref' THEN
          digests[top] := encode(sha256(convert_to((part #>> '{}') || path[:depth]::text || named[top]::text, 'UTF8')), 'base64');
          bucket := 1 + (hashtext(digests[top]) & 255);
          IF position(digests[top] || '+' IN seen[bucket]) > 0 THEN
            top := top - 1;
            CONTINUE;
          ELSIF trial > 0 AND position(digests[top] || '-' IN seen[bucket]) > 0 THEN
            fault := '$ref';
            CONTINUE;
          END IF;
        END IF;
        outers[top] := trial;
        trial := top;
      ELSIF ops[top] = '$ref' THEN
        bucket := 1 + (hashtext(digests[top]) & 255);
        seen[bucket] := seen[bucket] || digests[top] || CASE WHEN fault IS NULL THEN '+' ELSE '-' END;
        trial := outers[top];
        top := top - 1;
        CONTINUE;
      ELSE
        IF fault IS NULL THEN hits[top] := hits[top] + 1; END IF;
        fault := NULL;
      END IF;
      SELECT t.done, t.fault INTO one FROM _evercore_trial(ops[top], part, turns[top], amounts[top], hits[top]) t;
      IF one.done THEN
        @end_schema_trial@
        CONTINUE;
      END IF;
      @take_schema_turn@
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_schema_fault(jsonb, jsonb) IS 'The first fault of a document that a schema does not take, as in `/amount: minimum`, or NULL.';

-- == Declared schemas ==

-- The member of options that declares a schema, as it was given: NULL where there is none, 'null' where it takes one away.
CREATE OR REPLACE FUNCTION _evercore_option_schema(options text) RETURNS json
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json := options::json->'schema';
  fault text;
BEGIN
  IF declared IS NULL OR json_typeof(declared) = 'null' THEN RETURN declared; END IF;
  fault := _evercore_schema_declared_fault(declared);
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV009', 'schema: ' || fault); END IF;
  RETURN declared;
END $$;
COMMENT ON FUNCTION _evercore_option_schema(text) IS 'The schema of the options of an event type; EV009.';

CREATE OR REPLACE FUNCTION _evercore_data_fault(schema json, data jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN _evercore_schema_fault(schema::jsonb, data);
END $$;
COMMENT ON FUNCTION _evercore_data_fault(json, jsonb) IS 'The first fault of data that a declared schema does not take, or NULL.';

-- `row`: what stands after it.
CREATE OR REPLACE FUNCTION _evercore_check_data(type text, schema json, data jsonb, "row" text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text := _evercore_data_fault(schema, data);
BEGIN
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV011', format('data of "%s": %s', type, fault) || "row"); END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_data(text, json, jsonb, text) IS 'Refuses data that a declared schema does not take: EV011.';

CREATE OR REPLACE FUNCTION _evercore_check_events_data(events anyarray, in_rows boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_check_data(e.event_type, e.schema, (SELECT @upcast(e.data; k.upcast_steps)@ FROM evercore_event_type k WHERE k.name = e.event_type),
                               _evercore_row(e.ordinality, in_rows))
     FROM (SELECT u.*, (SELECT CASE WHEN @plainly_taken(u.data)@ THEN NULL ELSE k.schema END FROM evercore_event_type k WHERE k.name = u.event_type) AS schema
             FROM unnest(events) WITH ORDINALITY AS u OFFSET 0) e
    WHERE e.schema IS NOT NULL ORDER BY e.ordinality;
END $$;
COMMENT ON FUNCTION _evercore_check_events_data(anyarray, boolean) IS 'Refuses events whose data the schemas of their types do not take: EV011.';

CREATE OR REPLACE FUNCTION evercore_validate(event_type text, data text, options text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  tried json;
  declared record;
BEGIN
  IF data IS NULL THEN PERFORM _evercore_refuse('EV009', 'data is NULL'); END IF;
  PERFORM _evercore_payload(data, 'data'), _evercore_name(event_type, 'event_type', @max_name@);
  PERFORM _evercore_read_options(options), _evercore_ready();
  IF options::jsonb ? 'tags' THEN PERFORM _evercore_refuse('EV009', 'options: unknown member "tags"'); END IF;
  SELECT k.schema, k.upcast_steps INTO declared FROM evercore_event_type k WHERE k.name = event_type COLLATE "C";
  tried := coalesce(options::json->'schema', declared.schema);
  IF options::jsonb ? 'upcast' THEN declared.upcast_steps := _evercore_upcast_steps(options::json->'upcast'); END IF;
  RETURN CASE WHEN json_typeof(tried) <> 'null' THEN _evercore_data_fault(tried, @upcast(data; declared.upcast_steps)@) END;
END $$;
COMMENT ON FUNCTION evercore_validate(text, text, text) IS
  'The first fault of data that the schema of an event type does not take, or NULL; with options, of what they declare.';

-- == Declaring ==

CREATE OR REPLACE FUNCTION _evercore_changes_schema(type text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared text := options::json->'schema';
BEGIN
  RETURN declared IS NOT NULL
     AND nullif(declared, 'null') IS DISTINCT FROM (SELECT k.schema::text FROM evercore_event_type k WHERE k.name = type COLLATE "C");
END $$;
COMMENT ON FUNCTION _evercore_changes_schema(text, text) IS 'Whether options change the schema of an event type.';

-- Under the lock of declarations. Does not check the events that are stored already.
CREATE OR REPLACE FUNCTION _evercore_change_schema(type text, options text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json := options::json->'schema';
BEGIN
  IF NOT _evercore_changes_schema(type, options) THEN RETURN; END IF;
  IF json_typeof(declared) = 'null' THEN declared := NULL; END IF;
  UPDATE evercore_event_type k SET schema = declared, schema_path = _evercore_schema_path(declared) WHERE k.name = type COLLATE "C";
  PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
  IF declared IS NOT NULL THEN PERFORM _evercore_mark(@declares_tags@); END IF;
END $$;
COMMENT ON FUNCTION _evercore_change_schema(text, text) IS 'Changes the schema of an event type where options say another.';

-- The columns may hold anything that their owner wrote there.
CREATE OR REPLACE FUNCTION _evercore_stored_schema_fault(schema json, path jsonpath) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN coalesce(_evercore_exact_fault(schema::text, NULL), _evercore_schema_declared_fault(schema),
                  CASE WHEN path::text IS DISTINCT FROM _evercore_schema_path(schema)::text THEN 'another path' END);
END $$;
COMMENT ON FUNCTION _evercore_stored_schema_fault(json, jsonpath) IS 'What is wrong with a stored schema, or NULL.';

-- Where a schema is sound, its path becomes what this release makes of it.
CREATE OR REPLACE FUNCTION _evercore_mend_schema_paths() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  UPDATE evercore_event_type k SET schema_path = CASE WHEN k.schema IS NOT NULL THEN _evercore_schema_path(k.schema) END
   WHERE CASE WHEN k.schema IS NULL THEN k.schema_path IS NOT NULL ELSE _evercore_stored_schema_fault(k.schema, k.schema_path) = 'another path' END;
  UPDATE evercore_aggregate_type t SET schema_path = CASE WHEN t.schema IS NOT NULL THEN _evercore_schema_path(t.schema) END
   WHERE CASE WHEN t.schema IS NULL THEN t.schema_path IS NOT NULL ELSE _evercore_stored_schema_fault(t.schema, t.schema_path) = 'another path' END;
END $$;
COMMENT ON FUNCTION _evercore_mend_schema_paths() IS 'Makes the paths of declared schemas that are missing or different.';
