-- evercore_append_many. A document that is plainly right, seen in one query over the whole of it, and has neither event ids nor tags goes
-- from JSON straight into the table. Any other is looked at piece by piece, to name the first fault, and goes through the
-- arrays of append_many.sql.

CREATE OR REPLACE FUNCTION evercore_append_many(appends text, condition text DEFAULT NULL, "after" bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  newest bigint;
  parsed jsonb;
  printed text COLLATE "C";
  plain boolean;
  event jsonb;
  listed text COLLATE "C";      -- the tags as jsonb prints them
  wanted text[] COLLATE "C";    -- what stands between the quotes of a condition
BEGIN
  BEGIN
    newest := @last_value@;
    newest := CASE WHEN @unusual_marks(@marks@)@ <= newest
                        AND newest >= currval('@extschema@.evercore_event_position_seq'::regclass) THEN newest END;
    parsed := appends::jsonb;
    printed := parsed::text;
  EXCEPTION WHEN OTHERS THEN
    newest := NULL;
  END;
  IF newest IS NULL THEN
    @home@
  ELSIF (condition IS NOT NULL OR position('"tags": ["' IN printed) > 0) AND octet_length(appends) <= 8192 THEN
    -- One event with tags to an aggregate by its id: see append_tagged.sql.
    event := parsed #> '{0,events,0}';
    listed := event->>'tags';
    wanted := string_to_array(condition COLLATE "C", '"');
    IF @plain_decision@ THEN
      <<tagged>>
      DECLARE
        id bigint := parsed #>> '{0,aggregate_id}';
        expected bigint := parsed #>> '{0,expected}';
        event_type text := event->>'event_type';
        data json := appends::json #> '{0,events,0,data}';
        bears text[] := string_to_array(left(substr(listed, 3), -2), '", "');
        wanted_type text := wanted[CASE wanted[2] WHEN 'types' THEN 4 ELSE 8 END];
        wanted_tag text := wanted[CASE wanted[2] WHEN 'types' THEN 8 ELSE 4 END];
        lowest bigint := coalesce("after", 0);
        reached bigint;
        match bigint;
        placed bigint;
        written bigint;
      BEGIN
        EXIT tagged WHEN (@plain_transaction@ AND @plain_bears@ AND lowest BETWEEN 0 AND newest) IS NOT TRUE;
        @raise_version@
        IF NOT @unmarked@ THEN
          @lower_version@
          EXIT tagged;
        END IF;
        @hold_bears(bears || wanted_tag; t COLLATE "C" = wanted_tag)@
        IF wanted_tag IS NOT NULL AND pg_advisory_xact_lock_shared(@store_keys@, 0) IS NOT NULL THEN
          SELECT x.position INTO match FROM evercore_event_tag x
           WHERE x.tag = wanted_tag COLLATE "C" AND x.event_type = wanted_type COLLATE "C" AND x.position > lowest ORDER BY x.position LIMIT 1;
          IF FOUND THEN PERFORM _evercore_refuse_match(match); END IF;
        END IF;
        @insert_tagged@
        RETURN jsonb_build_array(jsonb_build_object('aggregate_id', id, 'first_position', placed, 'sequence', reached, 'position', placed));
      END;
    END IF;
  END IF;
  IF condition IS NOT NULL THEN RETURN _evercore_append_under(appends, condition, "after"); END IF;
  BEGIN
    IF newest IS NULL THEN
      parsed := appends::jsonb;
      printed := parsed::text;
    END IF;
    plain := _evercore_plain_appends(appends COLLATE "C", parsed, printed);
  EXCEPTION WHEN OTHERS THEN
    plain := false;
  END;
  IF plain IS NOT TRUE OR @unmigrated@ THEN
    PERFORM _evercore_ready(), _evercore_check_appends(appends COLLATE "C");
  ELSIF position('"event_id": ' IN printed) = 0
        AND (position('"tags": ' IN printed) = 0 OR NOT jsonb_path_exists(parsed, '$[*].events[*].tags')) THEN
    RETURN _evercore_append_plain(appends::json, parsed, newest);
  END IF;
  RETURN CASE parsed WHEN '[]' THEN parsed ELSE _evercore_append_document(appends, NULL, NULL) END;
END $$;
COMMENT ON FUNCTION evercore_append_many(text, text, bigint) IS
  'Appends the events of a JSON array of appends, all or none, and only where no event above a position matches the condition.';

-- Appends a checked array that is not empty, under a condition if there is one.
CREATE OR REPLACE FUNCTION _evercore_append_document(appends text, condition jsonb, "after" bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  given record;
  answer jsonb;
BEGIN
  IF octet_length(appends) <= 8192 THEN  -- to parse more once more costs
    answer := _evercore_append_single(appends::json, condition, "after");
    IF answer IS NOT NULL THEN RETURN answer; END IF;
  END IF;
  -- From json, not jsonb: data and metadata are kept byte for byte.
  WITH append AS MATERIALIZED (
    SELECT a.* FROM ROWS FROM (json_to_recordset(appends::json)
      AS (aggregate_id numeric, aggregate_type text, natural_key text, expected numeric, repeats text, events json))
      WITH ORDINALITY AS a (id, type, key, expected, repeats, events, no)
  ), event AS MATERIALIZED (
    SELECT a.no::integer AS append, e.* FROM append a, json_to_recordset(a.events)
      AS e (event_type text, data text, reference text, metadata text, event_time text, event_id text, tags text)
  )
  SELECT a.*, e.* INTO given
    FROM (SELECT array_agg(id::bigint) AS ids, array_agg(type) AS types, array_agg(key) AS keys, array_agg(expected::bigint) AS expects,
                 array_agg(repeats IS NOT NULL) AS skips FROM append) a,
         (SELECT array_agg(@new_event(e.append; e.event_type; e.data; e.reference; e.metadata; e.happened; e.event_id; e.bears; NULL)@) AS events
            FROM (SELECT x.*, CASE WHEN x.event_time IS NOT NULL THEN _evercore_time(x.event_time, 'event_time') END AS happened,
                         CASE WHEN x.tags IS NOT NULL THEN nullif(_evercore_tags(x.tags), '{}') END AS bears FROM event x) e) e;
  RETURN (SELECT jsonb_agg(jsonb_build_object('aggregate_id', r.aggregate_id, 'first_position', r.first_position, 'sequence', r.sequence,
                                              'position', r.position) || CASE WHEN r.repeated THEN '{"repeated":true}'::jsonb ELSE '{}' END ORDER BY r.append)
            FROM _evercore_append_rows(given.ids, given.types COLLATE "C", given.keys, given.expects, given.skips, given.events, condition, "after") r);
END $$;
COMMENT ON FUNCTION _evercore_append_document(text, jsonb, bigint) IS 'Appends the events of a JSON array of appends.';

-- Appends a document that _evercore_plain_appends let pass and that has neither event ids nor tags. Where a type declares tags or a schema,
-- the other way does it.
-- `newest`: a newest position that is good enough for a single append.
CREATE OR REPLACE FUNCTION _evercore_append_plain(document json, parsed jsonb, newest bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  one jsonb;
  held boolean;
  ids bigint[];
  named bigint[];
  versions bigint[];
  types text[];
  keys text[];
  expects bigint[];
  counts bigint[];
  lasts bigint[];         -- of each append the place of its last event in the document
  befores bigint[];
  places bigint[];
  moment timestamptz;
  written bigint;
  marks bigint;
BEGIN
  @enter@
  marks := @marks@;
  IF marks & @declares_tags@ > 0 AND _evercore_declares(parsed) THEN RETURN _evercore_append_document(document::text, NULL, NULL); END IF;
  one := parsed->0;
  IF jsonb_array_length(parsed) = 1 THEN  -- what the other branch does, at a tenth of its cost
    ids := ARRAY[(one->>'aggregate_id')::bigint];
    types := ARRAY[one->>'aggregate_type'];
    keys := ARRAY[one->>'natural_key'];
    expects := ARRAY[(one->>'expected')::bigint];
    counts := ARRAY[jsonb_array_length(one->'events')::bigint];
    lasts := counts;
  ELSE
    SELECT array_agg((a.one->>'aggregate_id')::bigint ORDER BY a.no), array_agg(a.one->>'aggregate_type' ORDER BY a.no),
           array_agg(a.one->>'natural_key' ORDER BY a.no), array_agg((a.one->>'expected')::bigint ORDER BY a.no),
           array_agg(jsonb_array_length(a.one->'events')::bigint ORDER BY a.no)
      INTO ids, types, keys, expects, counts FROM jsonb_array_elements(parsed) WITH ORDINALITY AS a (one, no);
    SELECT array_agg(r.last ORDER BY r.no) INTO lasts
      FROM (SELECT u.no, sum(u.amount) OVER (ORDER BY u.no)::bigint AS last FROM unnest(counts) WITH ORDINALITY AS u (amount, no)) r;
  END IF;
  named := ids;
  IF array_position(ids, NULL) IS NOT NULL THEN ids := _evercore_resolve(ids, types, keys, false); END IF;
  IF cardinality(ids) = 1 THEN
    -- What the other branch does, at a third of its cost: this is the batch of one aggregate's events.
    UPDATE evercore_aggregate a SET sequence = a.sequence + counts[1] WHERE a.aggregate_id = ids[1] AND NOT a.erased
    RETURNING ARRAY[a.sequence - counts[1]] INTO befores;
    IF befores IS NULL OR befores[1] <> expects[1] THEN
      IF named[1] IS NULL AND befores IS NULL AND _evercore_lock_aggregates(ids, named, false) IS NULL THEN
        RETURN _evercore_append_plain(document, parsed, newest);
      END IF;
      PERFORM _evercore_known(ids[1], true), _evercore_conflict(ids[1], befores[1], expects[1]);
    END IF;
    IF marks & @by_type@ > 0 THEN PERFORM _evercore_hold_types(parsed); END IF;
    IF lasts[1] > 1 THEN newest := NULL; END IF;
    held := _evercore_hold_floor(newest);
  ELSE
    newest := NULL;
    versions := _evercore_lock_aggregates(ids, named, false);
    IF versions IS NULL THEN RETURN _evercore_append_plain(document, parsed, newest); END IF;
    IF marks & @by_type@ > 0 THEN PERFORM _evercore_hold_types(parsed); END IF;
    befores := _evercore_advance(ids, versions, counts, expects, false);
  END IF;
  places := _evercore_draw(lasts[cardinality(lasts)]);
  moment := clock_timestamp();
  @insert_event@
  SELECT places[a.skipped + e.no], moment, a.id, a.before + e.no, e.event_type, e.data,
         CASE WHEN e.event_time IS NULL THEN NULL WHEN e.event_time ~ '@plain_time@' THEN e.event_time::timestamptz
              ELSE _evercore_time(e.event_time, 'event_time') END, e.reference, e.metadata, NULL, NULL, NULL
    FROM (SELECT ids[d.no] AS id, befores[d.no] AS before, lasts[d.no] - counts[d.no] AS skipped, d.one->'events' AS events
            FROM json_array_elements(document) WITH ORDINALITY AS d (one, no) OFFSET 0) a,
         ROWS FROM (json_to_recordset(a.events) AS (event_type text, data json, reference text, metadata json, event_time text))
           WITH ORDINALITY AS e (event_type, data, reference, metadata, event_time, no);
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(places) THEN PERFORM _evercore_written(written, cardinality(places)); END IF;
  IF places[1] <= newest THEN PERFORM _evercore_check_position(); END IF;
  @check_states(false)@
  @follow_policies@
  IF cardinality(ids) = 1 THEN
    RETURN jsonb_build_array(jsonb_build_object(
      'aggregate_id', ids[1], 'first_position', CASE WHEN places[lasts[1]] - places[1] < lasts[1] THEN places[1] END,
      'sequence', befores[1] + lasts[1], 'position', places[lasts[1]]));
  END IF;
  RETURN (SELECT jsonb_agg(jsonb_build_object(
            'aggregate_id', u.id,
            'first_position', CASE WHEN places[u.last] - places[u.last - u.amount + 1] < u.amount THEN places[u.last - u.amount + 1] END,
            'sequence', u.before + u.amount, 'position', places[u.last]) ORDER BY u.no)
            FROM unnest(ids, befores, counts, lasts) WITH ORDINALITY AS u (id, before, amount, last, no));
END $$;
COMMENT ON FUNCTION _evercore_append_plain(json, jsonb, bigint) IS 'Appends the events of a plain document, and answers as evercore_append_many does.';

-- Whether a document is plainly a right array of appends: true, or anything else where it has to be looked at closely.
CREATE OR REPLACE FUNCTION _evercore_plain_appends(document text, parsed jsonb, printed text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN jsonb_typeof(parsed) = 'array'
     AND @plain_members(document; printed)@
     AND octet_length(document) <= @max_payload@
     AND (octet_length(document) <= @shallow@ OR NOT jsonb_path_exists(parsed, 'strict $.**{@max_depth@}'))
     AND (SELECT bool_and((  -- bool_and passes over NULL
            jsonb_typeof(a->'events') = 'array' AND a->'events' <> '[]'
            AND (a - '{events,aggregate_id,aggregate_type,natural_key,expected,repeats}'::text[]) = '{}'
            AND coalesce(a->'repeats', 'null') IN ('null', '"skip"')
            AND (jsonb_typeof(a->'aggregate_id') = 'number' AND NOT a ?| '{aggregate_type,natural_key}'
                 OR jsonb_typeof(a->'aggregate_type') = 'string' AND jsonb_typeof(a->'natural_key') = 'string' AND NOT a ? 'aggregate_id'
                    AND char_length(a->>'aggregate_type') BETWEEN 1 AND @max_name@ AND char_length(a->>'natural_key') BETWEEN 1 AND @max_name@)
            AND (a->>'aggregate_id' IS NULL OR (a->>'aggregate_id') ~ '^[0-9]{1,18}$')
            AND (a->>'expected' IS NULL OR jsonb_typeof(a->'expected') = 'number' AND (a->>'expected') ~ '^[0-9]{1,18}$')
            AND (SELECT bool_and((
                   jsonb_typeof(e->'event_type') = 'string' AND jsonb_typeof(e->'data') = 'object'
                   AND char_length(e->>'event_type') BETWEEN 1 AND @max_name@
                   AND ((e - '{event_type,data}'::text[]) = '{}'
                        OR (e - '{event_type,data,reference,metadata,event_time,event_id,tags}'::text[]) = '{}'
                           AND coalesce(jsonb_typeof(e->'metadata'), 'null') IN ('object', 'null')
                           AND coalesce(jsonb_typeof(e->'reference'), 'null') IN ('string', 'null')
                           AND coalesce(char_length(e->>'reference'), 0) <= @max_reference@
                           AND coalesce(jsonb_typeof(e->'event_time'), 'null') IN ('string', 'null')
                           AND (e->>'event_time' IS NULL OR e->>'event_time' ~ '@plain_time@' OR _evercore_time(e->>'event_time', 'event_time') IS NOT NULL)
                           AND coalesce(jsonb_typeof(e->'event_id'), 'null') IN ('string', 'null')
                           AND coalesce(char_length(e->>'event_id'), 1) BETWEEN 1 AND @max_name@
                           AND CASE coalesce(jsonb_typeof(e->'tags'), 'null') WHEN 'null' THEN true
                                WHEN 'array' THEN _evercore_plain_tags(e->'tags') ELSE false END)) IS TRUE)
                   FROM jsonb_array_elements(a->'events') e)) IS TRUE)
            FROM jsonb_array_elements(parsed) a);
END $$;
COMMENT ON FUNCTION _evercore_plain_appends(text, jsonb, text) IS 'Whether a document is plainly a right array of appends.';

-- The first fault of a right JSON array of appends: of each append its shape, then of each event its shape, EV004, EV005, EV009.
CREATE OR REPLACE FUNCTION _evercore_check_appends(appends text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text;
  one json;
  header json;
  event json;
BEGIN
  IF appends IS NULL THEN PERFORM _evercore_refuse('EV009', 'appends is NULL'); END IF;
  BEGIN
    PERFORM appends::json;
  EXCEPTION
    WHEN invalid_text_representation THEN PERFORM _evercore_refuse('EV004', 'appends: not JSON');
    -- What is deeper than the server's own parser goes cannot be taken apart.
    WHEN statement_too_complex THEN PERFORM _evercore_refuse('EV004', 'appends: too deep');
  END;
  fault := _evercore_escape_fault(appends);
  IF fault IS NOT NULL THEN appends := _evercore_marked(appends); END IF;
  IF json_typeof(appends::json) <> 'array' THEN PERFORM _evercore_refuse('EV009', 'appends is not an array'); END IF;
  FOR one IN SELECT json_array_elements(appends::json) LOOP
    PERFORM _evercore_check_members(one, 'an append', '{aggregate_id,aggregate_type,natural_key,expected,repeats,events}');
    IF coalesce(json_typeof(one->'events'), 'null') = 'null' THEN PERFORM _evercore_refuse('EV009', 'events is missing'); END IF;
    IF json_typeof(one->'events') <> 'array' THEN PERFORM _evercore_refuse('EV009', 'events is not an array'); END IF;
    IF json_array_length(one->'events') = 0 THEN PERFORM _evercore_refuse('EV009', 'events is empty'); END IF;
    SELECT coalesce(json_object_agg(h.key, h.value), '{}') INTO header FROM json_each(one) h WHERE h.key <> 'events';
    FOR event IN SELECT json_array_elements(one->'events') LOOP
      PERFORM _evercore_check_members(event, 'an event', '{event_type,data,reference,metadata,event_time,event_id,tags}');
      PERFORM _evercore_check_json_event(header, event, fault IS NOT NULL);
    END LOOP;
  END LOOP;
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV004', 'appends: ' || fault); END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_appends(text) IS 'Names the first fault of a JSON array of appends.';

-- Checks an event of evercore_append_many and the members of its append, but not the other events. A value of a wrong type counts as a name
-- until the check of names.
CREATE OR REPLACE FUNCTION _evercore_check_json_event(header json, event json, marked boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  data text := _evercore_piece(event->'data');
  metadata text := _evercore_piece(event->'metadata');
  tags text := _evercore_piece(event->'tags');
  wrong text;
BEGIN
  IF marked THEN
    PERFORM _evercore_check_marks(data, 'data', json_typeof(event->'data') = 'string'),
            _evercore_check_marks(metadata, 'metadata', json_typeof(event->'metadata') = 'string');
  END IF;
  SELECT w.name || CASE WHEN position(E'\uE000N' IN m.value #>> '{}') > 0 THEN ' holds a NUL' ELSE w.says END INTO wrong
    FROM (VALUES (1, 'aggregate_type', 'string', ' is not text'), (2, 'natural_key', 'string', ' is not text'), (3, 'event_type', 'string', ' is not text'),
                 (4, 'event_id', 'string', ' is not text'), (5, 'expected', 'number', ' is not an integer'), (6, 'repeats', 'string', ' is not "skip"'),
                 (7, 'reference', 'string', ' is not text'), (8, 'event_time', 'string', ' is not text'),
                 (9, 'aggregate_id', 'number', ' is not an integer')) AS w (no, name, type, says)
    JOIN (SELECT h.key, h.value FROM json_each(header) h UNION ALL SELECT e.key, e.value FROM json_each(event) e) m ON m.key = w.name
   WHERE CASE WHEN json_typeof(m.value) = 'null' THEN false
              WHEN w.type = 'number' THEN NOT coalesce(_evercore_is_integer(m.value), false)
              WHEN w.name IN ('natural_key', 'event_id', 'reference', 'event_time')
                THEN json_typeof(m.value) <> 'string' AND NOT (json_typeof(m.value) = 'number' AND m.value::text ~ '^-?[0-9]+$')
              ELSE json_typeof(m.value) <> w.type END
      OR w.name = 'repeats' AND m.value #>> '{}' <> 'skip' OR position(E'\uE000N' IN m.value #>> '{}') > 0
   ORDER BY w.no LIMIT 1;
  PERFORM _evercore_check_event(data, metadata, _evercore_integer_or_0(header->'aggregate_id'), _evercore_text_or_any(header->'aggregate_type'),
    _evercore_text_or_any(header->'natural_key'), _evercore_text_or_any(event->'event_type'), _evercore_text_or_any(event->'event_id'), wrong,
    _evercore_integer_or_0(header->'expected'), _evercore_text_or_any(event->'reference'), _evercore_text_or_any(event->'event_time'),
    tags, CASE WHEN tags !~ E'\uE000[NS]' THEN _evercore_tags(tags) END);
END $$;
COMMENT ON FUNCTION _evercore_check_json_event(json, json, boolean) IS 'Refuses an event of evercore_append_many: EV004, EV005, EV009.';

-- A document that stands in an array of appends as JSON, or as a string that holds it.
CREATE OR REPLACE FUNCTION _evercore_piece(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE coalesce(json_typeof(value), 'null') WHEN 'null' THEN NULL WHEN 'string' THEN value #>> '{}' ELSE value::text END
$$;
COMMENT ON FUNCTION _evercore_piece(json) IS 'The text of a document that is given as JSON or as a string, NULL for null.';

-- A number however it is spelled, 1e0 is 1, or a text that is exactly an integer.
CREATE OR REPLACE FUNCTION _evercore_is_integer(value json) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE json_typeof(value)
           WHEN 'number' THEN _evercore_is_integer(value #>> '{}')
           WHEN 'string' THEN value #>> '{}' ~ '^[[:space:]]*[+-]?[0-9]{1,255}[[:space:]]*$'
                         AND _evercore_is_integer(ltrim(btrim(value #>> '{}', E' \t\n\v\f\r'), '+'))
           ELSE false END
$$;
COMMENT ON FUNCTION _evercore_is_integer(json) IS 'Whether a JSON value is exactly an integer of 64 bits.';

CREATE OR REPLACE FUNCTION _evercore_is_integer(number text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN number ~ '^-?[0-9.]{1,255}([eE][+-]?[0-9]{1,3})?$' AND number ~ '[0-9]$' AND number !~ '[.].*[.]|^-?[.]'
              THEN number::numeric % 1 = 0 AND number::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE false END
$$;
COMMENT ON FUNCTION _evercore_is_integer(text) IS 'Whether a JSON number is exactly an integer of 64 bits.';

CREATE OR REPLACE FUNCTION _evercore_integer_or_0(value json) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN json_typeof(value) = 'null' THEN NULL
              WHEN _evercore_is_integer(value) THEN (value #>> '{}')::numeric::bigint
              WHEN value IS NOT NULL THEN 0 END
$$;
COMMENT ON FUNCTION _evercore_integer_or_0(json) IS 'A JSON integer, NULL for null, and 0 for what is neither.';

CREATE OR REPLACE FUNCTION _evercore_text_or_any(value json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE coalesce(json_typeof(value), 'null') WHEN 'null' THEN NULL WHEN 'string' THEN value #>> '{}' WHEN 'number' THEN value::text ELSE 'x' END
$$;
COMMENT ON FUNCTION _evercore_text_or_any(json) IS 'A JSON string as text, NULL for null, and some text for what is neither.';

-- The server's own JSON functions refuse a document with U+0000 or a lone surrogate anywhere in it. To say where one stands,
-- each is replaced by a mark that they take, and the piece that bears the mark has the fault.
CREATE OR REPLACE FUNCTION _evercore_marked(document text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT regexp_replace(regexp_replace(regexp_replace(document,
           E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\uE000N', 'g'),
           E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}', E'\\1x', 'g'),
           E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', E'\\1\uE000S', 'g')
$$;
COMMENT ON FUNCTION _evercore_marked(text) IS 'A JSON text whose U+0000 and lone surrogates are replaced by marks.';

-- The faults that come before those of escapes are named first, as everywhere. In a document given as a string an escaped U+0000
-- stands for a raw one.
CREATE OR REPLACE FUNCTION _evercore_check_marks(document text, argument text, quoted boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF (document ~ E'\uE000[NS]') IS NOT TRUE OR _evercore_payload_fault(document) IN ('too large', 'too deep', 'not an object') THEN RETURN; END IF;
  PERFORM _evercore_refuse('EV004', argument
    || CASE WHEN position(E'\uE000N' IN document) = 0 THEN ': lone surrogate' WHEN quoted THEN ': not JSON' ELSE ': NUL' END);
END $$;
COMMENT ON FUNCTION _evercore_check_marks(text, text, boolean) IS 'Refuses a payload that bears a mark of _evercore_marked.';

CREATE OR REPLACE FUNCTION _evercore_check_members(document json, noun text, allowed text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  member text;
  seen text[] := '{}';
BEGIN
  IF json_typeof(document) <> 'object' THEN PERFORM _evercore_refuse('EV009', noun || ' is not an object'); END IF;
  FOR member IN SELECT json_object_keys(document) LOOP
    IF NOT member = ANY (allowed) THEN PERFORM _evercore_refuse('EV009', 'unknown member "' || member || '" in ' || noun); END IF;
    IF member = ANY (seen) THEN PERFORM _evercore_refuse('EV004', 'appends: duplicate key "' || member || '"'); END IF;
    seen := seen || member;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_check_members(json, text, text[]) IS 'Refuses what is not an object, unknown members and members given twice.';
