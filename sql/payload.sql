-- The payload profile: the only place that knows what a legal payload is.
--
-- jsonb finds bad JSON, lone surrogates and U+0000, but takes duplicate keys (the last wins), any depth and any number.
-- Each colon of the text is a member or stands in a string, and jsonb prints both kinds again: a member that was dropped as
-- a duplicate is a colon less. That comparison is exact unless the text spells a colon as \u003a. One regular expression
-- sends such texts, and those whose numbers print in 19 digits and more, to the exact path, which reads the json member by
-- member. That test stands in sql/bundle as @plain@, of `data` and of its jsonb `printed`, since a call costs as much. Depth can exceed 512 only above 1,024 bytes.

-- The word of EV004 for a document, or NULL where it is within the profile. Exact, and slow where a document is unusual.
CREATE OR REPLACE FUNCTION _evercore_payload_fault(data text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  parsed jsonb;
  printed text;
  state text;
BEGIN
  IF octet_length(data) > 16777216 THEN RETURN 'too large'; END IF;
  BEGIN
    parsed := data::jsonb;
    printed := parsed::text;
    IF @plain@ AND (octet_length(data) <= 1024 OR NOT jsonb_path_exists(parsed, 'strict $.**{512}')) THEN RETURN NULL; END IF;
    IF jsonb_typeof(parsed) <> 'object' THEN RETURN 'not an object'; END IF;
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    IF state = '54001' THEN RETURN 'too deep'; END IF;
    IF state = '22P05' THEN RETURN 'NUL'; END IF;
    IF state = '22P02' THEN RETURN _evercore_syntax_fault(data); END IF;
    IF state NOT IN ('22003', '54000') THEN RAISE; END IF;
  END;
  IF octet_length(data) > 1024 THEN
    IF _evercore_depth(data) > 512 THEN RETURN 'too deep'; END IF;
  END IF;
  RETURN coalesce(_evercore_number_fault(data), _evercore_duplicate_fault(data::json));
END $$;
COMMENT ON FUNCTION _evercore_payload_fault(text) IS 'What puts a document outside the payload profile: the word of EV004, or NULL.';

-- jsonb refused the text as such; json does not look into escapes, so what it takes has a lone surrogate.
CREATE OR REPLACE FUNCTION _evercore_syntax_fault(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  PERFORM document::json;
  RETURN 'lone surrogate';
EXCEPTION
  WHEN invalid_text_representation THEN RETURN 'not JSON';
  WHEN statement_too_complex THEN RETURN 'too deep';
END $$;
COMMENT ON FUNCTION _evercore_syntax_fault(text) IS 'Tells a lone surrogate from text that is not JSON.';

-- How deep brackets nest outside strings.
CREATE OR REPLACE FUNCTION _evercore_depth(document text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT coalesce(max(depth), 0)
    FROM (SELECT sum(CASE WHEN bracket IN ('{', '[') THEN 1 ELSE -1 END) OVER (ORDER BY place) AS depth
            FROM regexp_split_to_table(regexp_replace(regexp_replace(document, '"(?:[^"\\]|\\.)*"', '', 'g'), '[^][{}]', '', 'g'), '')
                 WITH ORDINALITY AS brackets (bracket, place)
           WHERE bracket <> '') nesting
$$;
COMMENT ON FUNCTION _evercore_depth(text) IS 'How deep a JSON text nests.';

-- Integers must fit 64 bits; other numbers must be finite as doubles. What rounds to 2^1024 or more is not: from
-- 2^1024 - 2^970, whose leading digit stands at 10^308. Only numbers of just that size are compared digit by digit.
CREATE OR REPLACE FUNCTION _evercore_number_fault(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  part text[];
  digits text;
  magnitude numeric;
BEGIN
  FOR part IN SELECT regexp_matches(regexp_replace(document, '"(?:[^"\\]|\\.)*"', '""', 'g'),
                                    '(-?)(\d+)(\.\d+)?(?:[eE]([+-]?\d+))?', 'g') LOOP
    IF part[3] IS NULL AND part[4] IS NULL THEN
      IF length(part[2]) > 19 OR (part[1] || part[2])::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
        RETURN 'number out of range';
      END IF;
    ELSE
      digits := part[2] || coalesce(substr(part[3], 2), '');
      CONTINUE WHEN ltrim(digits, '0') = '';
      magnitude := length(part[2]) - 1 - (length(digits) - length(ltrim(digits, '0')))
                   + CASE WHEN length(part[4]) > 100 THEN (left(part[4], 100))::numeric ELSE coalesce(part[4], '0')::numeric END;
      IF magnitude > 308 THEN RETURN 'number out of range'; END IF;
      IF magnitude = 308 THEN
        digits := rpad(left(ltrim(digits, '0'), 1000), 309, '0');
        IF (left(digits, 309) || '.' || substr(digits, 310) || '0')::numeric >= 2::numeric ^ 1024 - 2::numeric ^ 970 THEN
          RETURN 'number out of range';
        END IF;
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_number_fault(text) IS 'number out of range where a JSON text has such a number.';

CREATE OR REPLACE FUNCTION _evercore_duplicate_fault(document json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  WITH RECURSIVE node (path, value) AS (
    SELECT '{}'::integer[], document
    UNION ALL
    SELECT node.path || child.place::integer, child.value
      FROM node, LATERAL (
        SELECT member.value, member.place
          FROM json_each(CASE WHEN json_typeof(node.value) = 'object' THEN node.value ELSE '{}' END) WITH ORDINALITY AS member (key, value, place)
        UNION ALL
        SELECT element.value, element.place
          FROM json_array_elements(CASE WHEN json_typeof(node.value) = 'array' THEN node.value ELSE '[]' END) WITH ORDINALITY AS element (value, place)
      ) child
     WHERE json_typeof(child.value) IN ('object', 'array')
  )
  SELECT 'duplicate key "' || member.key || '"'
    FROM node, LATERAL json_object_keys(CASE WHEN json_typeof(node.value) = 'object' THEN node.value ELSE '{}' END) AS member (key)
   GROUP BY node.path, member.key
  HAVING count(*) > 1
   LIMIT 1
$$;
COMMENT ON FUNCTION _evercore_duplicate_fault(json) IS 'duplicate key "k" where an object in a document has a key twice.';

-- EV004 where a document is outside the profile, EV009 where it is NULL.
CREATE OR REPLACE FUNCTION _evercore_payload(document text, argument text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  fault text;
BEGIN
  IF document IS NULL THEN
    RAISE EXCEPTION 'EV009: % is NULL', argument USING ERRCODE = 'EV009';
  END IF;
  fault := _evercore_payload_fault(document);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'EV004: %: %', argument, fault USING ERRCODE = 'EV004';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_payload(text, text) IS 'Refuses a document outside the payload profile (EV004).';
