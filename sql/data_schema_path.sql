-- A schema as one SQL/JSON path, which the server evaluates in a thirtieth of the time. The path is true of no document that the schema does not
-- take; of what it is not true of, sql/data_schema.sql says what is wrong, if anything is. So it may leave out what a path cannot say, and
-- what it cannot say at all has none.
--
-- No part of it may be unknown, as a comparison of two types would be: so the type is tested before each comparison. A path goes into arrays
-- by itself, so that a filter is only used on what is no array.

-- References are followed twice on one way, and at most 50 of them: those that refer to each other could be written out without end.
CREATE OR REPLACE FUNCTION _evercore_schema_path(declared json) RETURNS jsonpath
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  root jsonb := declared;
  found text;
BEGIN
  IF declared IS NULL OR octet_length(declared::text) > @max_path@ OR (SELECT count(*) FROM _evercore_references(root)) > 50
     OR _evercore_written_out(root) > 8 * @max_path@ THEN
    RETURN NULL;
  END IF;
  found := _evercore_path_of(root, root, '$', 0);
  RETURN CASE WHEN octet_length(found) <= @max_path@ THEN found END;
END $$;
COMMENT ON FUNCTION _evercore_schema_path(json) IS 'A path that is true of documents that a schema takes, or NULL.';

-- What looks like one in const is taken for one.
CREATE OR REPLACE FUNCTION _evercore_references(schema jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT r.pointer FROM regexp_matches(schema::text, '"[$]ref": (' || @string@ || ')', 'g') AS m (part),
         LATERAL (SELECT _evercore_reference(m.part[1]::jsonb #>> '{}') AS pointer OFFSET 0) r WHERE r.pointer IS NOT NULL
$$;
COMMENT ON FUNCTION _evercore_references(jsonb) IS 'The pointers to which the references in a schema lead.';

CREATE OR REPLACE FUNCTION _evercore_written_out(root jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN octet_length(root::text) + (
    SELECT coalesce(sum(octet_length(t.schema::text) + (
             SELECT coalesce(sum(octet_length(_evercore_at(root, q.pointer)::text)), 0) FROM _evercore_references(t.schema) AS q (pointer))), 0)
      FROM _evercore_references(root) AS r (pointer), LATERAL (SELECT _evercore_at(root, r.pointer) AS schema OFFSET 0) t);
END $$;
COMMENT ON FUNCTION _evercore_written_out(jsonb) IS 'How many bytes a schema has at most with its references written out, twice on one way.';

-- `held`: the path to the value.
CREATE OR REPLACE FUNCTION _evercore_path_of(root jsonb, schema jsonb, held text, level integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  parts text[];
BEGIN
  IF schema = 'true' THEN RETURN '(1 == 1)'; END IF;
  IF jsonb_typeof(schema) <> 'object' OR schema ?| '{propertyNames,minProperties,maxProperties,prefixItems,contains,oneOf,not,dependentRequired,dependentSchemas}'
     OR schema ? 'if' AND schema ?| '{then,else}' OR schema->'uniqueItems' = 'true' OR level > 100 THEN
    RETURN NULL;
  END IF;
  parts := ARRAY[
    CASE WHEN schema ? 'type' THEN _evercore_path_of_type(schema->'type', held) ELSE '' END,
    CASE WHEN schema ? 'enum' THEN _evercore_path_of_values(schema->'enum', held) ELSE '' END,
    CASE WHEN schema ? 'const' THEN _evercore_path_of_values(jsonb_build_array(schema->'const'), held) ELSE '' END,
    CASE WHEN schema ?| '{properties,required,additionalProperties}' THEN _evercore_path_of_members(root, schema, held, level) ELSE '' END,
    CASE WHEN schema ?| '{items,minItems,maxItems}' THEN _evercore_path_of_elements(root, schema, held, level) ELSE '' END,
    CASE WHEN schema ?| '{minimum,maximum,exclusiveMinimum,exclusiveMaximum}' THEN _evercore_path_of_bounds(schema, held) ELSE '' END,
    CASE WHEN schema ?| '{minLength,maxLength,format}' THEN _evercore_path_of_text(schema, held) ELSE '' END,
    CASE WHEN schema ? 'allOf' THEN (SELECT CASE WHEN count(*) = count(p.path) THEN string_agg(p.path, ' && ') END
      FROM (SELECT _evercore_path_of(root, a, held, level + 1) AS path FROM jsonb_array_elements(schema->'allOf') AS a) p) ELSE '' END,
    CASE WHEN schema ? 'anyOf' THEN (SELECT '(' || string_agg(p.path, ' || ') || ')'
      FROM (SELECT _evercore_path_of(root, a, held, level + 1) AS path FROM jsonb_array_elements(schema->'anyOf') AS a) p) ELSE '' END,
    CASE WHEN schema ? '$ref' THEN _evercore_path_of(root, _evercore_at(root, _evercore_reference(schema->>'$ref')), held, level + 34) ELSE '' END];
  IF array_position(parts, NULL) IS NOT NULL THEN RETURN NULL; END IF;
  parts := array_remove(parts, '');
  RETURN '(' || coalesce(array_to_string(nullif(parts, '{}'), ' && '), '1 == 1') || ')';
END $$;
COMMENT ON FUNCTION _evercore_path_of(jsonb, jsonb, text, integer) IS 'What is true of the value at a path where a schema takes it, or NULL.';

-- A condition on values of one type alone: true of values of other types.
CREATE OR REPLACE FUNCTION _evercore_path_guarded(schema jsonb, held text, kind text, said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN schema->>'type' = kind OR schema->>'type' = 'integer' AND kind = 'number' THEN said ELSE format('(%s.type() != "%s" || %s)', held, kind, said) END
$$;
COMMENT ON FUNCTION _evercore_path_guarded(jsonb, text, text, text) IS 'What is true of a value of another type, or of which something is true.';

CREATE OR REPLACE FUNCTION _evercore_path_of_type(types jsonb, held text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '(' || string_agg(CASE t.name
           WHEN 'integer' THEN format('(%1$s.type() == "number" && %1$s.floor() == %1$s && %1$s >= -9223372036854775808 && %1$s <= 9223372036854775807)', held)
           ELSE format('%s.type() == "%s"', held, t.name) END, ' || ') || ')'
    FROM jsonb_array_elements_text(CASE jsonb_typeof(types) WHEN 'array' THEN types ELSE jsonb_build_array(types) END) AS t (name)
$$;
COMMENT ON FUNCTION _evercore_path_of_type(jsonb, text) IS 'What is true of a value of these types.';

-- Numbers of more than 15 digits are compared as doubles, and so not here.
CREATE OR REPLACE FUNCTION _evercore_path_of_values(choices jsonb, held text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '(' || string_agg(format('(%1$s.type() == "%2$s" && (%3$s))', held, c.kind, c.choices), ' || ' ORDER BY c.kind) || ')'
    FROM (SELECT jsonb_typeof(e.choice) AS kind, string_agg(held || ' == ' || e.choice::text, ' || ' ORDER BY e.no) AS choices
            FROM jsonb_array_elements(choices) WITH ORDINALITY AS e (choice, no)
           WHERE jsonb_typeof(e.choice) NOT IN ('object', 'array') AND (jsonb_typeof(e.choice) <> 'number' OR length(e.choice::text) <= 16) GROUP BY 1) c
$$;
COMMENT ON FUNCTION _evercore_path_of_values(jsonb, text) IS 'What is true of a value that is one of these.';

CREATE OR REPLACE FUNCTION _evercore_path_of_members(root jsonb, schema jsonb, held text, level integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  member record;
  part text;
  parts text[] := '{}';
BEGIN
  IF jsonb_typeof(coalesce(schema->'additionalProperties', 'true')) <> 'boolean' THEN RETURN NULL; END IF;
  FOR member IN
    SELECT coalesce(p.key, r.name) AS name, coalesce(p.value, 'true') AS schema, r.name IS NOT NULL AS required
      FROM jsonb_each(coalesce(schema->'properties', '{}')) AS p
      FULL JOIN jsonb_array_elements_text(coalesce(schema->'required', '[]')) AS r (name) ON r.name = p.key LOOP
    part := _evercore_path_of(root, member.schema, held || '.' || to_jsonb(member.name)::text, level + 1);
    IF part IS NULL THEN RETURN NULL; END IF;
    -- A value that has a type exists.
    IF member.required AND NOT member.schema ? 'type' THEN part := format('exists(%s.%s) && %s', held, to_jsonb(member.name)::text, part); END IF;
    IF NOT member.required THEN part := format('(!exists(%s.%s) || %s)', held, to_jsonb(member.name)::text, part); END IF;
    CONTINUE WHEN NOT member.required AND member.schema IN ('true', '{}');
    parts := parts || part;
  END LOOP;
  IF schema->'additionalProperties' = 'false' THEN
    parts := parts || format('!exists(%s.keyvalue() ? (%s))', held,
      coalesce((SELECT string_agg('@.key != ' || to_jsonb(k.name)::text, ' && ') FROM jsonb_object_keys(schema->'properties') AS k (name)), '1 == 1'));
  END IF;
  IF parts = '{}' THEN RETURN ''; END IF;
  RETURN _evercore_path_guarded(schema, held, 'object', array_to_string(parts, ' && '));
END $$;
COMMENT ON FUNCTION _evercore_path_of_members(jsonb, jsonb, text, integer) IS 'What is true of an object whose members are taken.';

CREATE OR REPLACE FUNCTION _evercore_path_of_elements(root jsonb, schema jsonb, held text, level integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  element text := CASE WHEN schema ? 'items' THEN _evercore_path_of(root, schema->'items', '@', level + 1) END;
  parts text[] := '{}';
BEGIN
  IF schema ? 'items' AND element IS NULL THEN RETURN NULL; END IF;
  IF schema ? 'minItems' THEN parts := parts || format('%s.size() >= %s', held, schema->'minItems'); END IF;
  IF schema ? 'maxItems' THEN parts := parts || format('%s.size() <= %s', held, schema->'maxItems'); END IF;
  IF schema ? 'items' THEN
    parts := parts || format('!exists(%1$s[*].type() ? (@ == "array")) && !exists(%1$s[*] ? (!%2$s))', held, element);
  END IF;
  RETURN _evercore_path_guarded(schema, held, 'array', array_to_string(parts, ' && '));
END $$;
COMMENT ON FUNCTION _evercore_path_of_elements(jsonb, jsonb, text, integer) IS 'What is true of an array whose elements are taken.';

-- A decimal on the right side of a bound of at most 15 digits reads as a double on that side too. Where it must not equal the bound, this holds
-- only if it is not close to it.
CREATE OR REPLACE FUNCTION _evercore_path_of_bounds(schema jsonb, held text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN bool_and(length(b.bound::text) <= 16) THEN
           _evercore_path_guarded(schema, held, 'number', string_agg(held || b.operator || CASE b.margin WHEN 0 THEN b.bound
             ELSE b.bound + b.margin * greatest(abs(b.bound), 1) / 1000000000 END, ' && ')) END
    FROM (SELECT k.operator, k.margin, (schema->k.name)::numeric AS bound
            FROM (VALUES ('minimum', ' >= ', 0), ('maximum', ' <= ', 0), ('exclusiveMinimum', ' >= ', 1), ('exclusiveMaximum', ' <= ', -1)) AS k (name, operator, margin)
           WHERE schema ? k.name) b
$$;
COMMENT ON FUNCTION _evercore_path_of_bounds(jsonb, text) IS 'What is true of a number within bounds.';

-- A path cannot count characters but by a regular expression, of up to 255. No text has more of them than the data have bytes.
CREATE OR REPLACE FUNCTION _evercore_path_of_text(schema jsonb, held text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  least_length bigint := (schema->'minLength')::numeric;
  most_length bigint := (schema->'maxLength')::numeric;
  parts text[] := '{}';
BEGIN
  IF least_length > 255 OR least_length > most_length THEN RETURN NULL; END IF;
  IF least_length > 1 OR most_length <= 255 THEN
    parts := ARRAY[format('%s like_regex "^.{%s,%s}$" flag "s"', held, coalesce(least_length, 0), CASE WHEN most_length <= 255 THEN most_length END)];
  ELSIF least_length = 1 THEN
    parts := ARRAY[held || ' != ""'];
  END IF;
  IF most_length IS NOT NULL THEN
    parts := CASE WHEN most_length > 255 THEN parts || format('$bytes <= %s', most_length)
                  WHEN least_length > 1 THEN parts
                  ELSE ARRAY[format('($bytes <= %s || %s)', most_length, parts[1])] || CASE WHEN least_length = 1 THEN ARRAY[held || ' != ""'] END END;
  END IF;
  IF schema ? 'format' THEN
    parts := parts || format('%s like_regex "%s"', held, CASE schema->>'format' WHEN 'uuid' THEN '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
      ELSE '^[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)' || CASE schema->>'format' WHEN 'date' THEN '$'
        ELSE '[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$' END END);
  END IF;
  IF parts = '{}' THEN RETURN ''; END IF;
  RETURN _evercore_path_guarded(schema, held, 'string', array_to_string(parts, ' && '));
END $$;
COMMENT ON FUNCTION _evercore_path_of_text(jsonb, text) IS 'What is true of a text of the right length and format.';
