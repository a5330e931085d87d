-- What a declared schema of data must be: JSON Schema 2020-12 with the keywords that the engine checks, and no other.
--
-- The text is kept as json, whose order is that of the document, so that the fault that is named is the first one there. All is found by
-- sets: a hostile declaration has no stack to exhaust.

-- The keywords, and what the value of each must be. Of those whose schemas are tried on the same value `beside` is true.
CREATE OR REPLACE FUNCTION _evercore_schema_keywords() RETURNS TABLE (name text, shape text, beside boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ VALUES
  ('type', 'type', false), ('enum', 'array', false), ('const', 'anything', false), ('properties', 'named schemas', false), ('required', 'texts', false),
  ('additionalProperties', 'schema', false), ('propertyNames', 'schema', false), ('minProperties', 'count', false), ('maxProperties', 'count', false),
  ('items', 'schema', false), ('prefixItems', 'schemas', false), ('contains', 'schema', false), ('minContains', 'count', false),
  ('maxContains', 'count', false), ('minItems', 'count', false), ('maxItems', 'count', false), ('uniqueItems', 'boolean', false),
  ('minimum', 'number', false), ('maximum', 'number', false), ('exclusiveMinimum', 'number', false), ('exclusiveMaximum', 'number', false),
  ('minLength', 'count', false), ('maxLength', 'count', false), ('allOf', 'schemas', true), ('anyOf', 'schemas', true), ('oneOf', 'schemas', true),
  ('not', 'schema', true), ('if', 'schema', true), ('then', 'schema', true), ('else', 'schema', true), ('dependentRequired', 'named texts', false),
  ('dependentSchemas', 'named schemas', true), ('$defs', 'named schemas', false), ('$ref', 'reference', true), ('format', 'format', false),
  ('$id', 'id', false), ('$schema', 'dialect', false), ('title', 'text', false), ('description', 'text', false), ('$comment', 'text', false),
  ('default', 'anything', false), ('examples', 'array', false), ('deprecated', 'boolean', false), ('readOnly', 'boolean', false), ('writeOnly', 'boolean', false)
$$;
COMMENT ON FUNCTION _evercore_schema_keywords() IS 'The keywords of JSON Schema that a declaration may use.';

CREATE OR REPLACE FUNCTION _evercore_token(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '/' || replace(replace(name, '~', '~0'), '/', '~1')
$$;
COMMENT ON FUNCTION _evercore_token(text) IS 'A step of a JSON Pointer.';

-- Every schema in a declaration, with its place in the order of the text. `beside`: it is tried on the value of the one that holds it, which
-- is the one at `holder`.
CREATE OR REPLACE FUNCTION _evercore_schema_nodes(declared json)
RETURNS TABLE (place integer[], pointer text, schema json, level integer, holder text, beside boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH RECURSIVE node (place, pointer, schema, level, holder, beside) AS (
    SELECT '{}'::integer[], '', declared, 1, NULL::text, false
    UNION ALL
    SELECT n.place || m.no::integer || c.place, n.pointer || _evercore_token(m.key) || c.pointer, c.schema, n.level + 1, n.pointer, k.beside
      FROM node n, json_each(CASE json_typeof(n.schema) WHEN 'object' THEN n.schema ELSE '{}' END) WITH ORDINALITY AS m (key, value, no)
      JOIN _evercore_schema_keywords() k ON k.name = m.key, LATERAL (
        SELECT '{}'::integer[] AS place, '' AS pointer, m.value AS schema WHERE k.shape = 'schema'
        UNION ALL
        SELECT ARRAY[e.no::integer], '/' || e.no - 1, e.value
          FROM json_array_elements(CASE WHEN k.shape = 'schemas' AND json_typeof(m.value) = 'array' THEN m.value ELSE '[]' END) WITH ORDINALITY AS e (value, no)
        UNION ALL
        SELECT ARRAY[e.no::integer], _evercore_token(e.key), e.value
          FROM json_each(CASE WHEN k.shape = 'named schemas' AND json_typeof(m.value) = 'object' THEN m.value ELSE '{}' END) WITH ORDINALITY AS e (key, value, no)
      ) c
     WHERE n.level <= @max_schema_levels@
  )
  SELECT n.place, n.pointer, n.schema, n.level, n.holder, n.beside FROM node n
$$;
COMMENT ON FUNCTION _evercore_schema_nodes(json) IS 'The schemas of a declaration, itself included.';

-- The pointer to which a $ref leads, NULL where it is no reference to this declaration.
CREATE OR REPLACE FUNCTION _evercore_reference(reference text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  pointer text COLLATE "C" := substr(reference, 2);
  bytes bytea;
BEGIN
  IF reference NOT LIKE '#%' OR pointer ~ '%(?![0-9a-fA-F]{2})' THEN RETURN NULL; END IF;
  IF position('%' IN pointer) > 0 THEN
    SELECT string_agg(CASE WHEN left(m.part[1], 1) = '%' THEN decode(substr(m.part[1], 2), 'hex') ELSE convert_to(m.part[1], 'UTF8') END, '' ORDER BY m.no)
      INTO bytes FROM regexp_matches(pointer, '(%..|[^%]+)', 'g') WITH ORDINALITY AS m (part, no);
    IF encode(bytes, 'hex') !~ @utf_bytes@ THEN RETURN '/$defs'; END IF;  -- where no schema stands
    pointer := convert_from(bytes, 'UTF8');
  END IF;
  RETURN CASE WHEN pointer = '' OR pointer LIKE '/$defs/%' AND pointer ~ '^([^~]|~[01])*$' THEN pointer END;
END $$;
COMMENT ON FUNCTION _evercore_reference(text) IS 'The pointer to which a reference within a declaration leads, or NULL.';

-- What is wrong with the value of a keyword, by the shape it must have: each fault with its place below it.
CREATE OR REPLACE FUNCTION _evercore_keyword_faults(shape text, value json, pointers text[], at_root boolean)
RETURNS TABLE (place integer[], pointer text, words text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
DECLARE
  kind text := json_typeof(value);
  said text := CASE WHEN kind = 'string' THEN value #>> '{}' END;
BEGIN
  IF shape = 'named texts' AND kind = 'object' THEN
    RETURN QUERY SELECT m.no::integer || f.place, _evercore_token(m.key) || f.pointer, f.words
      FROM json_each(value) WITH ORDINALITY AS m (key, value, no), _evercore_keyword_faults('texts', m.value, NULL, NULL) f;
  ELSIF shape IN ('texts', 'type') AND kind = 'array' THEN
    RETURN QUERY SELECT ARRAY[e.no::integer], '/' || e.no - 1, e.words FROM (
      SELECT e.no, CASE WHEN json_typeof(e.value) <> 'string' THEN 'not text'
                        WHEN shape = 'type' AND NOT e.value #>> '{}' = ANY ('{"null",boolean,string,array,object,integer,number}'::text[]) THEN 'not a type'
                        WHEN row_number() OVER (PARTITION BY e.value #>> '{}', json_typeof(e.value) ORDER BY e.no) > 1 THEN 'twice' END AS words
        FROM json_array_elements(value) WITH ORDINALITY AS e (value, no)) e WHERE e.words IS NOT NULL;
  END IF;
  RETURN QUERY SELECT '{}'::integer[], '', w.words FROM (SELECT CASE
    WHEN shape IN ('text', 'reference', 'format', 'id', 'dialect') AND kind <> 'string' OR shape = 'type' AND kind NOT IN ('string', 'array') THEN 'not text'
    WHEN shape IN ('array', 'schemas', 'texts') AND kind <> 'array' THEN 'not an array'
    WHEN shape IN ('named schemas', 'named texts') AND kind <> 'object' THEN 'not an object'
    WHEN shape = 'boolean' AND kind <> 'boolean' THEN 'not a boolean'
    WHEN shape = 'number' AND kind <> 'number' THEN 'not a number'
    WHEN shape = 'count' AND (kind <> 'number' OR NOT @is_integer((value::text)::numeric)@ OR (value::text)::numeric < 0) THEN 'not an integer of 0 or more'
    WHEN shape IN ('schemas', 'type') AND kind = 'array' AND json_array_length(value) = 0 THEN 'empty'
    WHEN shape = 'type' AND kind = 'string' AND NOT said = ANY ('{"null",boolean,string,array,object,integer,number}'::text[]) THEN 'not a type'
    WHEN shape = 'format' AND NOT said = ANY ('{date-time,date,uuid}'::text[]) THEN 'unknown format'
    WHEN shape = 'id' AND NOT at_root THEN 'only at the root'
    WHEN shape = 'dialect' AND said !~ '^https://json-schema[.]org/draft/2020-12/schema#?$' THEN 'not draft 2020-12'
    WHEN shape = 'reference' AND _evercore_reference(said) IS NULL THEN 'not a reference'
    WHEN shape = 'reference' AND NOT _evercore_reference(said) = ANY (pointers COLLATE "C") THEN 'no such definition' END AS words) w WHERE w.words IS NOT NULL;
END $$;
COMMENT ON FUNCTION _evercore_keyword_faults(text, json, text[], boolean) IS 'What is wrong with the value of a keyword.';

-- EV009's pointer and words, as in `/properties/a/type: not a type`, or NULL.
CREATE OR REPLACE FUNCTION _evercore_schema_declared_fault(declared json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  node record;
  fault text;
BEGIN
  IF octet_length(declared::text) > @max_schema@ THEN RETURN 'too large'; END IF;
  SELECT array_agg(n.pointer ORDER BY n.place) AS pointers, array_agg(n.schema ORDER BY n.place) AS schemas, array_agg(n.place::text ORDER BY n.place) AS places,
         max(n.level) AS level, array_agg(n.holder ORDER BY n.place) FILTER (WHERE n.beside) AS froms, array_agg(n.pointer ORDER BY n.place) FILTER (WHERE n.beside) AS tos
    INTO node FROM _evercore_schema_nodes(declared) n;
  IF node.level > @max_schema_levels@ OR cardinality(node.pointers) > @max_schemas@ THEN RETURN 'too large'; END IF;
  SELECT f.pointer || CASE f.pointer WHEN '' THEN '' ELSE ': ' END || f.words INTO fault FROM (
    SELECT n.place::integer[], n.pointer, 'not a schema' AS words FROM unnest(node.places, node.pointers, node.schemas) AS n (place, pointer, schema)
     WHERE json_typeof(n.schema) NOT IN ('object', 'boolean')
    UNION ALL
    SELECT n.place::integer[] || m.no::integer || f.place, n.pointer || _evercore_token(m.key) || f.pointer, f.words
      FROM unnest(node.places, node.pointers, node.schemas) AS n (place, pointer, schema),
           json_each(CASE json_typeof(n.schema) WHEN 'object' THEN n.schema ELSE '{}' END) WITH ORDINALITY AS m (key, value, no)
      LEFT JOIN _evercore_schema_keywords() k ON k.name = m.key, LATERAL (
        SELECT '{}'::integer[] AS place, '' AS pointer, 'unknown keyword' AS words WHERE k.name IS NULL
        UNION ALL
        SELECT w.place, w.pointer, w.words FROM _evercore_keyword_faults(k.shape, m.value, node.pointers, n.pointer = '') w WHERE k.name IS NOT NULL) f
    ORDER BY 1 LIMIT 1) f;
  IF fault IS NOT NULL OR position('"$ref"' IN declared::text) = 0 THEN RETURN fault; END IF;
  RETURN _evercore_schema_cycle(node.pointers, node.schemas, node.froms, node.tos);
END $$;
COMMENT ON FUNCTION _evercore_schema_declared_fault(json) IS 'What is wrong with a declared schema, or NULL.';

-- The first $ref that leads back to itself without passing through a member or an element.
CREATE OR REPLACE FUNCTION _evercore_schema_cycle(pointers text[], schemas json[], froms text[], tos text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  edges jsonb;
  one record;
BEGIN
  SELECT jsonb_object_agg(e.origin, e.targets) INTO edges FROM (
    SELECT e.origin, jsonb_agg(e.target) AS targets FROM (
      SELECT b.origin, b.target FROM unnest(froms, tos) AS b (origin, target)
      UNION ALL
      SELECT n.pointer, _evercore_reference(n.schema->>'$ref') FROM unnest(pointers, schemas) AS n (pointer, schema)
       WHERE json_typeof(n.schema) = 'object' AND n.schema->'$ref' IS NOT NULL) e GROUP BY 1) e;
  IF NOT _evercore_leads_back(edges, pointers, NULL) THEN RETURN NULL; END IF;
  FOR one IN SELECT n.pointer, _evercore_reference(n.schema->>'$ref') AS target FROM unnest(pointers, schemas) WITH ORDINALITY AS n (pointer, schema, no)
              WHERE json_typeof(n.schema) = 'object' AND n.schema->'$ref' IS NOT NULL ORDER BY n.no LOOP
    IF one.target = one.pointer OR _evercore_leads_back(edges, ARRAY[one.target], one.pointer) THEN RETURN one.pointer || '/$ref: a cycle'; END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_schema_cycle(text[], json[], text[], text[]) IS 'The first reference of a declaration that never ends, or NULL.';

-- Depth first: a node is open until all that it leads to was looked at. With a goal, whether that is met again; else, whether any open one is.
CREATE OR REPLACE FUNCTION _evercore_leads_back(edges jsonb, starts text[], goal text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  numbers jsonb := (SELECT jsonb_object_agg(n.pointer, n.no) FROM (
    SELECT p.pointer, row_number() OVER () AS no FROM (SELECT k.pointer FROM jsonb_object_keys(edges) AS k (pointer)
      UNION SELECT t.pointer FROM jsonb_each(edges) AS e, jsonb_array_elements_text(e.value) AS t (pointer) UNION SELECT unnest(starts)) p) n);
  states "char"[];
  stack text[];
  turns integer[];
  top integer;
  start text;
  target text;
  aim integer := (numbers->>goal)::integer;
  no integer;
BEGIN
  states := array_fill('n'::"char", ARRAY[(SELECT count(*)::integer FROM jsonb_object_keys(numbers))]);
  FOREACH start IN ARRAY starts LOOP
    CONTINUE WHEN states[(numbers->>start)::integer] <> 'n';
    states[(numbers->>start)::integer] := 'o';
    stack := ARRAY[start];
    turns := '{0}';
    top := 1;
    WHILE top > 0 LOOP
      target := edges->stack[top]->>turns[top];
      IF target IS NULL THEN
        states[(numbers->>stack[top])::integer] := 'd';
        top := top - 1;
        CONTINUE;
      END IF;
      turns[top] := turns[top] + 1;
      no := (numbers->>target)::integer;
      IF no = aim OR aim IS NULL AND states[no] = 'o' THEN RETURN true; END IF;
      IF states[no] = 'n' THEN
        states[no] := 'o';
        top := top + 1;
        stack[top] := target;
        turns[top] := 0;
      END IF;
    END LOOP;
  END LOOP;
  RETURN false;
END $$;
COMMENT ON FUNCTION _evercore_leads_back(jsonb, text[], text) IS 'Whether edges lead in a circle, or from a start back to it.';
