-- INSERT INTO evercore_append: rows are gathered while the statement runs and written at its end, in one call, so that
-- locks are taken in one order and a mixture of repeats and new events is seen.
--
-- Gathered rows wait in a setting local to the transaction; when it is full it goes to _evercore_pending. A statement that
-- runs inside another one (from a function in its SELECT, or a trigger) has a depth of its own. Whoever writes the setting
-- by hand can only ask for appends that he may make anyway: everything is checked at the end.

CREATE OR REPLACE FUNCTION _evercore_insert_begin() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  depth integer := coalesce(substring(current_setting('evercore.depth', true) FROM '^[0-9]{1,6}$'), '0')::integer + 1;
  noted text;
BEGIN
  IF TG_TABLE_SCHEMA <> (parse_ident('@extschema@'))[1] THEN
    RAISE EXCEPTION 'EV010: schema % was renamed: run sql/install for it again', TG_TABLE_SCHEMA USING ERRCODE = 'EV010';
  END IF;
  IF @unmigrated@ THEN PERFORM _evercore_ready(); END IF;
  -- An assignment takes half the time of PERFORM, which is a query.
  noted := set_config('evercore.depth', depth::text, true) || set_config('evercore.rows_' || depth, '', true)
         || set_config('evercore.parts_' || depth, '0', true);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_insert_begin() IS 'Before INSERT INTO evercore_append: nothing gathered yet.';

CREATE OR REPLACE FUNCTION _evercore_insert_row() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  depth text := current_setting('evercore.depth');
  gathered text := current_setting('evercore.rows_' || depth);
  part integer;
BEGIN
  IF octet_length(gathered) > 16384 THEN
    part := current_setting('evercore.parts_' || depth)::integer + 1;
    INSERT INTO _evercore_pending (depth, part, rows) VALUES (depth::integer, part, gathered);
    PERFORM set_config('evercore.parts_' || depth, part::text, true);
    gathered := '';
  END IF;
  gathered := set_config('evercore.rows_' || depth, gathered || CASE gathered WHEN '' THEN '' ELSE ',' END || to_json(NEW)::text, true);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION _evercore_insert_row() IS 'A row of INSERT INTO evercore_append: gathered.';

CREATE OR REPLACE FUNCTION _evercore_insert_end() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  level integer := current_setting('evercore.depth')::integer;
  gathered text := current_setting('evercore.rows_' || level);
  given record;
  fine boolean;
  reached bigint;
BEGIN
  -- One row for an aggregate that is there, without the values that only this form reads in its own way: evercore_append does it.
  IF current_setting('evercore.parts_' || level) = '0' AND gathered <> '' AND position('},{"' IN gathered) = 0 THEN
    SELECT r.* INTO given FROM json_to_record(gathered::json)
      AS r (aggregate_type text, natural_key text, aggregate_id bigint, expected bigint, event_type text, data text, reference text, metadata text, event_time text, event_id text, tags text);
    IF given.event_time IS NOT NULL OR '' IN (given.reference, given.tags) OR left(given.data, 2) = E'\\x' OR left(given.metadata, 2) = E'\\x' THEN
      given.aggregate_id := NULL;
    ELSIF given.aggregate_id IS NULL THEN
      given.aggregate_id := _evercore_held_by_key(given.aggregate_type, given.natural_key);
    ELSIF coalesce(given.aggregate_type, given.natural_key) IS NOT NULL THEN
      given.aggregate_id := NULL;
    END IF;
    IF given.aggregate_id IS NOT NULL THEN
      gathered := set_config('evercore.rows_' || level, '', true) || set_config('evercore.depth', (level - 1)::text, true);
      reached := evercore_append(given.aggregate_id, given.expected, given.event_type, given.data, given.reference, given.metadata, NULL::text, given.event_id,
                                 given.tags);
      RETURN NULL;
    END IF;
  END IF;
  WITH part AS (
    DELETE FROM _evercore_pending p WHERE p.depth = level AND current_setting('evercore.parts_' || level) <> '0' RETURNING p.part, p.rows
  ), every_part AS (
    SELECT p.part, p.rows FROM part p UNION ALL SELECT 2147483647, current_setting('evercore.rows_' || level)
  )
  SELECT array_agg(r.aggregate_id) AS ids, array_agg(r.aggregate_type) AS types, array_agg(r.natural_key) AS keys,
         array_agg(r.expected) AS expects, array_agg(r.event_time) AS times,
         array_agg(@new_event(r.no::integer; r.event_type; r.data; r.reference; r.metadata; NULL; r.event_id; CASE WHEN r.tags IS NOT NULL THEN ARRAY[r.tags] END; NULL)@) AS events
    INTO given
    FROM (SELECT e.*, row_number() OVER (ORDER BY p.part, e.no) AS no
            FROM every_part p,
                 ROWS FROM (json_to_recordset(('[' || p.rows || ']')::json)
                   AS (aggregate_id bigint, aggregate_type text, natural_key text, expected bigint, event_type text, data text,
                       reference text, metadata text, event_time text, event_id text, tags text)) WITH ORDINALITY
                   AS e (aggregate_id, aggregate_type, natural_key, expected, event_type, data, reference, metadata, event_time, event_id, tags, no)
         ) AS r (aggregate_id, aggregate_type, natural_key, expected, event_type, data, reference, metadata, event_time, event_id, tags, part_no, no);
  PERFORM set_config('evercore.rows_' || level, '', true), set_config('evercore.depth', (level - 1)::text, true);
  IF given.ids IS NULL THEN RETURN NULL; END IF;
  BEGIN
    SELECT bool_and((@plain(d.data; d.printed)@ AND octet_length(d.data) <= @shallow@
                    AND coalesce(d.reference, d.metadata, d.event_time, d.event_id, d.tags[1]) IS NULL AND d.expected IS NULL
                    AND char_length(d.event_type) BETWEEN 1 AND @max_name@
                    AND (d.id IS NOT NULL AND coalesce(d.type, d.key) IS NULL
                         OR d.id IS NULL AND char_length(d.type) BETWEEN 1 AND @max_name@ AND char_length(d.key) BETWEEN 1 AND @max_name@)) IS TRUE) INTO fine
      FROM (SELECT u.*, u.data::jsonb::text AS printed
              FROM ROWS FROM (unnest(given.events), unnest(given.ids, given.types, given.keys, given.expects, given.times))
                     AS u (@new_event_columns@, id, type, key, expected, event_time) OFFSET 0) d;
  EXCEPTION WHEN OTHERS THEN
    fine := false;
  END;
  IF fine IS NOT TRUE THEN
    given.events := _evercore_check_rows(given.ids, given.types, given.keys, given.expects, given.times, given.events);
  END IF;
  PERFORM _evercore_append_rows(given.ids, given.types, given.keys, given.expects, NULL, given.events, NULL, NULL);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_insert_end() IS 'After INSERT INTO evercore_append: the gathered rows are checked and appended.';

-- Checks rows one by one and names the first that is at fault. Here an event's tags are still one text, as given. Gives the events as they
-- are stored: bytes as text, and with their times.
CREATE OR REPLACE FUNCTION _evercore_check_rows(ids bigint[], types text[], keys text[], expects bigint[], times text[], events anyarray) RETURNS anyarray
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  given record;
  no bigint;
  document text;
  extra text;
  moment timestamptz;
  bears text[];
BEGIN
  FOR given IN
    SELECT d.* FROM ROWS FROM (unnest(events), unnest(ids, types, keys, expects, times)) WITH ORDINALITY
      AS d (@new_event_columns@, id, type, key, expected, event_time, no) ORDER BY d.no LOOP
    no := given.no;
    document := _evercore_printed_bytes(given.data, 'data');
    extra := _evercore_printed_bytes(given.metadata, 'metadata');
    bears := CASE WHEN given.tags IS NOT NULL THEN _evercore_tags(given.tags[1]) END;
    moment := _evercore_check_event(document, extra, given.id, given.type, given.key, given.event_type, given.event_id,
      (CASE '' WHEN given.reference THEN 'reference' WHEN given.event_time THEN 'event_time' WHEN given.tags[1] THEN 'tags' END)
        || ' is empty: NULL is none',
      given.expected, given.reference, _evercore_printed_time(given.event_time), given.tags[1], bears);
    events[no] := @new_event(given.append; given.event_type; document; given.reference; extra; moment; given.event_id; nullif(bears, '{}'); NULL)@;
  END LOOP;
  RETURN events;
EXCEPTION WHEN SQLSTATE 'EV004' OR SQLSTATE 'EV005' OR SQLSTATE 'EV009' THEN
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM || _evercore_row(no, cardinality(events) > 1);
END $$;
COMMENT ON FUNCTION _evercore_check_rows(bigint[], text[], text[], bigint[], text[], anyarray)
  IS 'Refuses rows of the INSERT form, naming the row: EV004, EV005, EV009; gives the events.';

-- Bytes given to the INSERT form arrive as the server prints them, \x and digits: no JSON begins so.
CREATE OR REPLACE FUNCTION _evercore_printed_bytes(value text, argument text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF left(value, 2) <> E'\\x' OR value !~ '^..([0-9a-f]{2})*$' THEN RETURN value; END IF;
  RETURN _evercore_document(decode(substr(value, 3), 'hex'), argument);
END $$;
COMMENT ON FUNCTION _evercore_printed_bytes(text, text) IS 'A document of the INSERT form as text, bytes as what they spell.';

-- A time given to the INSERT form arrives as the session prints it, with day, month and year in another order where DateStyle is not ISO.
-- A text was a time if the session would print a time in just this way. Without an offset it is UTC.
CREATE OR REPLACE FUNCTION _evercore_printed_time(value text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  given text := value;
  naive timestamp;
  moment timestamptz;
BEGIN
  IF current_setting('DateStyle') LIKE 'ISO%' OR value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([ Tt]|$)' THEN RETURN value; END IF;
  IF current_setting('DateStyle') LIKE '%YMD' THEN  -- it reads the year first, and does not print it so
    given := regexp_replace(regexp_replace(value, '^([0-9]{2})[-/]([0-9]{2})[-/]([0-9]{4,})', E'\\3-\\1-\\2'),
                            '^([0-9]{2})[.]([0-9]{2})[.]([0-9]{4,})', E'\\3-\\2-\\1');
  END IF;
  naive := regexp_replace(given, '(:[0-9]{2}(?:[.][0-9]+)?(?: [0-9]{4})?)(?: [A-Za-z]+| ?[+-][0-9:]+)$', E'\\1')::timestamp;
  IF NOT isfinite(naive) THEN RETURN value; END IF;
  IF naive::text = value OR naive::date::text = value THEN RETURN _evercore_time_text(naive); END IF;
  -- With a zone: a clock of the session's zone shows this at one instant, or at two in the hour that is repeated in autumn.
  FOREACH moment IN ARRAY ARRAY[naive AT TIME ZONE current_setting('TimeZone'), naive AT TIME ZONE current_setting('TimeZone') - interval '1 hour',
                                naive AT TIME ZONE current_setting('TimeZone') + interval '1 hour'] LOOP
    IF moment::text = value THEN RETURN _evercore_time_text(moment); END IF;
  END LOOP;
  RETURN value;
EXCEPTION WHEN data_exception THEN
  RETURN value;
END $$;
COMMENT ON FUNCTION _evercore_printed_time(text) IS 'A time of the INSERT form as all forms take it.';
