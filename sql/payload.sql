-- The payload profile: the only place that knows what a legal payload is.
--
-- jsonb finds bad JSON, lone surrogates and U+0000, but takes duplicate keys (the last wins), any depth and numbers of its own
-- range. Each colon of the text is a member or stands in a string, and jsonb prints both kinds again: a member that was dropped
-- as a duplicate is a colon less. That comparison is exact unless the text spells a colon as \u003a. One regular expression,
-- `unusual` in sql/macros.txt, sends such texts, and those with a number that may be out of range, to the exact path. The whole
-- test stands there as `plain`, since a call costs as much. Depth can exceed 512 only above 1,024 bytes.
--
-- No literal of these functions has a backslash unless it is an E'' string: they run with the caller's standard_conforming_strings.

-- The word of EV004 for a document, or NULL where it is within the profile.
CREATE OR REPLACE FUNCTION _evercore_payload_fault(data text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  parsed jsonb;
  printed text;
  state text;
BEGIN
  IF octet_length(data) > @max_payload@ THEN RETURN 'too large'; END IF;
  BEGIN
    parsed := data::jsonb;
    printed := parsed::text;
    IF @plain(data; printed)@ AND (octet_length(data) <= @shallow@ OR NOT jsonb_path_exists(parsed, 'strict $.**{@max_depth@}')) THEN RETURN NULL; END IF;
  EXCEPTION WHEN OTHERS THEN
    -- What jsonb does not take: too deep a nesting, U+0000, bad JSON or a lone surrogate, a number, or more than it can print.
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    IF state NOT IN ('54001', '22P05', '22P02', '22003', '54000') THEN RAISE; END IF;
  END;
  RETURN _evercore_exact_fault(data, 'object');
END $$;
COMMENT ON FUNCTION _evercore_payload_fault(text) IS 'What puts a document outside the payload profile: the word of EV004, or NULL.';

-- The same, slowly and without jsonb. `root` is the type that the root must have; NULL allows any. Of several faults the first in this
-- order is named, as on SQLite.
CREATE OR REPLACE FUNCTION _evercore_exact_fault(data text, root text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  document json;
  deep boolean := octet_length(data) > @shallow@ AND _evercore_depth(data) > @max_depth@;
BEGIN
  BEGIN
    document := data::json;
  EXCEPTION
    WHEN invalid_text_representation THEN RETURN CASE WHEN deep THEN 'too deep' ELSE 'not JSON' END;
    WHEN statement_too_complex THEN IF NOT deep THEN RAISE; END IF;
  END;
  IF deep THEN RETURN 'too deep'; END IF;
  IF json_typeof(document) <> root THEN RETURN 'not an object'; END IF;
  RETURN coalesce(_evercore_escape_fault(data), _evercore_number_fault(data), _evercore_duplicate_fault(document));
END $$;
COMMENT ON FUNCTION _evercore_exact_fault(text, text) IS 'What puts a document outside the payload profile, looked at closely.';

-- json takes any \uXXXX. A run of backslashes begins an escape, so that pairs of them are told from left to right.
CREATE OR REPLACE FUNCTION _evercore_escape_fault(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF position(E'\\u' IN document) = 0 THEN RETURN NULL; END IF;
  document := replace(document, E'\\\\', 'x');
  IF position(E'\\u0000' IN document) > 0 THEN RETURN 'NUL'; END IF;
  document := regexp_replace(document, '[[.backslash.]]u[dD][89abAB][0-9a-fA-F]{2}[[.backslash.]]u[dD][c-fC-F][0-9a-fA-F]{2}', 'x', 'g');
  RETURN CASE WHEN document ~ '[[.backslash.]]u[dD][89a-fA-F]' THEN 'lone surrogate' END;
END $$;
COMMENT ON FUNCTION _evercore_escape_fault(text) IS 'NUL or lone surrogate where a JSON text has such an escape.';

-- How deep brackets nest outside strings.
CREATE OR REPLACE FUNCTION _evercore_depth(document text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(max(depth), 0)
    FROM (SELECT sum(CASE WHEN bracket IN ('{', '[') THEN 1 ELSE -1 END) OVER (ORDER BY place) AS depth
            FROM regexp_split_to_table(regexp_replace(regexp_replace(document, @string@, '', 'g'), '[^][{}]', '', 'g'), '')
                 WITH ORDINALITY AS brackets (bracket, place)
           WHERE bracket <> '') nesting
$$;
COMMENT ON FUNCTION _evercore_depth(text) IS 'How deep a JSON text nests.';

-- The numbers of a JSON text that are long or have a long exponent: the only ones that may be out of range.
CREATE OR REPLACE FUNCTION _evercore_number_fault(document text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT 'number out of range'
    FROM regexp_matches(regexp_replace(document, @string@, '""', 'g'), '(-?)([0-9]+)(?:[.]([0-9]+))?(?:[eE]([+-]?[0-9]+))?', 'g') AS m (part)
   WHERE (length(part[2]) > 18 OR length(part[3]) > 255 OR length(part[4]) > 2)
     AND NOT CASE WHEN coalesce(part[3], part[4]) IS NOT NULL THEN _evercore_is_double(part[2], coalesce(part[3], ''), coalesce(part[4], '0'))
                  ELSE length(part[2]) = 19 AND (part[1] || part[2])::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 END
   LIMIT 1
$$;
COMMENT ON FUNCTION _evercore_number_fault(text) IS 'number out of range where a JSON text has such a number.';

-- Numbers with a point or an exponent must be finite as doubles, and jsonb must hold them. What rounds to 2^1024 or more is not
-- finite: from 2^1024 - 2^970, whose leading digit stands at 10^308. Only numbers of just that size are compared digit by digit.
CREATE OR REPLACE FUNCTION _evercore_is_double(whole text, fraction text, exponent text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  digits text := ltrim(whole || fraction, '0');
  magnitude bigint;
BEGIN
  IF length(ltrim(exponent, '+-')) > 5 OR length(fraction) - exponent::integer > 16383 THEN RETURN false; END IF;
  magnitude := length(digits) - 1 - length(fraction) + exponent::integer;
  IF digits = '' OR magnitude < 308 THEN RETURN true; END IF;
  IF magnitude > 308 THEN RETURN false; END IF;
  digits := rpad(left(digits, 1000), 309, '0');
  RETURN (left(digits, 309) || '.' || substr(digits, 310) || '0')::numeric < 2::numeric ^ 1024 - 2::numeric ^ 970;
END $$;
COMMENT ON FUNCTION _evercore_is_double(text, text, text) IS 'Whether a number, not an integer, is one of the payload profile.';

-- The first key, in the order of the text, that stands in its object a second time.
CREATE OR REPLACE FUNCTION _evercore_duplicate_fault(document json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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
  ), member AS (
    SELECT node.path || m.place::integer AS path, m.key, row_number() OVER (PARTITION BY node.path, m.key ORDER BY m.place) AS time
      FROM node, LATERAL json_object_keys(CASE WHEN json_typeof(node.value) = 'object' THEN node.value ELSE '{}' END) WITH ORDINALITY AS m (key, place)
  )
  SELECT 'duplicate key "' || key || '"' FROM member WHERE time = 2 ORDER BY path LIMIT 1
$$;
COMMENT ON FUNCTION _evercore_duplicate_fault(json) IS 'duplicate key "k" where an object in a document has a key twice.';

-- EV004 where a document is outside the profile. NULL is none.
CREATE OR REPLACE FUNCTION _evercore_payload(document text, argument text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text;
BEGIN
  IF document IS NULL THEN RETURN; END IF;
  fault := _evercore_payload_fault(document);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'EV004: %: %', argument, fault USING ERRCODE = 'EV004';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_payload(text, text) IS 'Refuses a document outside the payload profile (EV004).';
