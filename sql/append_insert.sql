-- INSERT INTO evercore_append: rows are gathered while the statement runs and written at its end, in one call, so that
-- locks are taken in one order and a mixture of repeats and new events is seen.
--
-- Gathered rows wait in a setting local to the transaction; when it is full it goes to _evercore_pending. A statement that
-- runs inside another one (from a function in its SELECT, or a trigger) has a depth of its own. Whoever writes the setting
-- by hand can only ask for appends that he may make anyway: everything is checked at the end.

CREATE OR REPLACE FUNCTION _evercore_insert_begin() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  depth integer := coalesce(nullif(current_setting('evercore.depth', true), ''), '0')::integer + 1;
BEGIN
  IF TG_TABLE_SCHEMA <> (parse_ident('@extschema@'))[1] THEN
    RAISE EXCEPTION 'EV010: schema % was renamed: run sql/install for it again', TG_TABLE_SCHEMA USING ERRCODE = 'EV010';
  END IF;
  IF to_regclass('@extschema@._evercore_timeline') IS NULL THEN PERFORM _evercore_ready(); END IF;
  PERFORM set_config('evercore.depth', depth::text, true), set_config('evercore.rows_' || depth, '', true),
          set_config('evercore.parts_' || depth, '0', true);
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
  PERFORM set_config('evercore.rows_' || depth, gathered || CASE gathered WHEN '' THEN '' ELSE ',' END || to_json(NEW)::text, true);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION _evercore_insert_row() IS 'A row of INSERT INTO evercore_append: gathered.';

CREATE OR REPLACE FUNCTION _evercore_insert_end() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  level integer := current_setting('evercore.depth')::integer;
  given record;
  fine boolean;
BEGIN
  WITH part AS (
    DELETE FROM _evercore_pending p WHERE p.depth = level AND current_setting('evercore.parts_' || level) <> '0' RETURNING p.part, p.rows
  ), every_part AS (
    SELECT p.part, p.rows FROM part p UNION ALL SELECT 2147483647, current_setting('evercore.rows_' || level)
  )
  SELECT array_agg(r.aggregate_id) AS ids, array_agg(r.aggregate_type) AS types, array_agg(r.natural_key) AS keys,
         array_agg(r.expected) AS expects, array_agg(r.no::integer) AS owners, array_agg(r.event_type) AS kinds, array_agg(r.data) AS datas,
         array_agg(r.reference) AS refs, array_agg(r.metadata) AS metas, array_agg(r.event_time) AS time_texts, array_agg(r.event_id) AS event_ids,
         array_fill(NULL::timestamptz, ARRAY[count(*)::integer]) AS times
    INTO given
    FROM (SELECT e.*, row_number() OVER (ORDER BY p.part, e.no) AS no
            FROM every_part p,
                 ROWS FROM (json_to_recordset(('[' || p.rows || ']')::json)
                   AS (aggregate_id bigint, aggregate_type text, natural_key text, expected bigint, event_type text, data text,
                       reference text, metadata text, event_time text, event_id text)) WITH ORDINALITY
                   AS e (aggregate_id, aggregate_type, natural_key, expected, event_type, data, reference, metadata, event_time, event_id, no)
         ) AS r (aggregate_id, aggregate_type, natural_key, expected, event_type, data, reference, metadata, event_time, event_id, part_no, no);
  PERFORM set_config('evercore.rows_' || level, '', true), set_config('evercore.depth', (level - 1)::text, true);
  IF given.ids IS NULL THEN RETURN NULL; END IF;
  BEGIN
    SELECT bool_and(jsonb_typeof(d.data::jsonb) = 'object'
                    AND length(d.data) - length(replace(d.data, ':', '')) = length(d.data::jsonb::text) - length(replace(d.data::jsonb::text, ':', ''))
                    AND octet_length(d.data) <= 1024
                    AND d.data !~ @unusual@
                    AND coalesce(d.reference, d.metadata, d.event_time, d.event_id) IS NULL AND d.expected IS NULL
                    AND char_length(d.kind) BETWEEN 1 AND 64
                    AND (d.id IS NOT NULL AND coalesce(d.type, d.key) IS NULL
                         OR d.id IS NULL AND char_length(d.type) BETWEEN 1 AND 64 AND char_length(d.key) BETWEEN 1 AND 255)) INTO fine
      FROM unnest(given.ids, given.types, given.keys, given.expects, given.kinds, given.datas, given.refs, given.metas, given.time_texts, given.event_ids)
        AS d (id, type, key, expected, kind, data, reference, metadata, event_time, event_id);
  EXCEPTION WHEN OTHERS THEN
    fine := false;
  END;
  IF fine IS NOT TRUE THEN
    FOR i IN 1 .. cardinality(given.owners) LOOP
      given.times[i] := _evercore_check_event(given.datas[i], given.metas[i], given.ids[i], given.types[i], given.keys[i], given.kinds[i],
        given.event_ids[i], NULL, given.expects[i], given.refs[i], _evercore_printed_time(given.time_texts[i]));
    END LOOP;
  END IF;
  PERFORM _evercore_append_rows(given.ids, given.types, given.keys, given.expects, given.owners, given.kinds, given.datas,
                                given.refs, given.metas, given.times, given.event_ids, NULL);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_insert_end() IS 'After INSERT INTO evercore_append: the gathered rows are checked and appended.';

-- A timestamptz given to the INSERT form arrives as the session prints it: with hours alone as the offset, or in another order of
-- day, month and year. What the session would print just so was one.
CREATE OR REPLACE FUNCTION _evercore_printed_time(value text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  moment timestamptz;
BEGIN
  IF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+[+-][0-9]{2}$' THEN RETURN value || ':00'; END IF;
  IF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' AND value !~ '[+-][0-9]{2}:[0-9]{2}:[0-9]{2}$' THEN RETURN value; END IF;
  moment := value::timestamptz;
  RETURN CASE WHEN moment::text = value AND isfinite(moment) THEN _evercore_time_text(moment) ELSE value END;
EXCEPTION WHEN data_exception THEN
  RETURN value;
END $$;
COMMENT ON FUNCTION _evercore_printed_time(text) IS 'A time of the INSERT form as all forms take it.';
