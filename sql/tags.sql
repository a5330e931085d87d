-- Tags: what an event is about besides its aggregate, as a JSON array of texts that the event has, and the index of events by them.

-- Each once, in the order given: '{}' for none, NULL for what is no array of texts.
CREATE OR REPLACE FUNCTION _evercore_tags(tags text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  bears text[];
BEGIN
  -- One or two as array_to_json writes them: a tenth of what the server's parser costs here.
  IF tags COLLATE "C" ~ '^[[]"[^"[.backslash.][:cntrl:]]*"(,"[^"[.backslash.][:cntrl:]]*")?[]]$' THEN
    bears := string_to_array(substr(tags, 3, length(tags) - 4), '","');
    IF bears = '{}' THEN RETURN ARRAY['']; END IF;
    RETURN CASE WHEN bears[1] = bears[2] THEN bears[1:1] ELSE bears END;
  END IF;
  RETURN _evercore_parsed_tags(tags);
END $$;
COMMENT ON FUNCTION _evercore_tags(text) IS 'The tags that a JSON array names, or NULL where it is no array of texts.';

CREATE OR REPLACE FUNCTION _evercore_parsed_tags(tags text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  document json;
  texts boolean;
  bears text[];
BEGIN
  document := tags;
  IF json_typeof(document) <> 'array' THEN RETURN NULL; END IF;
  SELECT coalesce(array_agg(t.tag ORDER BY t.no), '{}'), coalesce(bool_and(t.texts), true) INTO bears, texts
    FROM (SELECT e.value #>> '{}' AS tag, min(e.no) AS no, bool_and(json_typeof(e.value) = 'string') AS texts
            FROM json_array_elements(document) WITH ORDINALITY AS e (value, no) GROUP BY 1) t;
  RETURN CASE WHEN texts THEN bears END;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character OR statement_too_complex THEN
  RETURN NULL;  -- not JSON, or a lone surrogate; U+0000; too deep
END $$;
COMMENT ON FUNCTION _evercore_parsed_tags(text) IS 'The same by the server''s parser.';

-- What a filter by tag gives. Where the type of aggregates or the partition may keep an event out, events are looked at in steps until there are
-- enough: the tag may have very many.
CREATE OR REPLACE FUNCTION _evercore_tagged(types text[], tags jsonb, "after" bigint, upto bigint, most bigint, only_type text, only_type_id bigint,
                                            partitions integer, part integer) RETURNS TABLE ("position" bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  wanted text[] := CASE WHEN types IS NOT NULL THEN ARRAY(SELECT DISTINCT u FROM unnest(types) AS u) END;
  bears text[] := ARRAY(SELECT DISTINCT u FROM jsonb_array_elements_text(tags) AS u);
  step bigint := greatest(most, 100);
  looked bigint[];
  given bigint;
BEGIN
  IF only_type IS NULL AND partitions = 1 THEN
    RETURN QUERY SELECT m.position FROM _evercore_matches(wanted, bears, "after", upto, most) m;
    RETURN;
  END IF;
  LOOP
    looked := ARRAY(SELECT m.position FROM _evercore_matches(wanted, bears, "after", upto, step) m);
    RETURN QUERY
    SELECT e.position
      FROM unnest(looked) AS m (position) @log_at@
     WHERE e.aggregate_id % partitions = part AND @passes_aggregate(only_type; NULL::text; a.type_id = only_type_id)@
     ORDER BY 1 LIMIT most;
    GET DIAGNOSTICS given = ROW_COUNT;
    most := most - given;
    EXIT WHEN most = 0 OR (cardinality(looked) = step) IS NOT TRUE;
    "after" := looked[step];
    step := least(2 * step, 10000);
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_tagged(text[], jsonb, bigint, bigint, bigint, text, bigint, integer, integer) IS
  'The positions of the first events that pass a filter by tag, in order.';

CREATE OR REPLACE FUNCTION _evercore_refuse_tags() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION 'EV010: a tag was not written: a trigger or rule of the store''s tables kept it back' USING ERRCODE = 'EV010';
END $$;
COMMENT ON FUNCTION _evercore_refuse_tags() IS 'EV010: an event would be without a row of the index by tag.';

CREATE OR REPLACE FUNCTION _evercore_plain_tags(tags jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN jsonb_array_length(tags) <= @max_tags@
     AND (SELECT coalesce(bool_and(jsonb_typeof(t) = 'string' AND char_length(t #>> '{}') BETWEEN 1 AND @max_name@), true)
            FROM jsonb_array_elements(tags) AS t);
END $$;
COMMENT ON FUNCTION _evercore_plain_tags(jsonb) IS 'Whether an array is plainly one of legal tags.';

-- For erasure: by the index's key, however large the server believes the table to be.
CREATE OR REPLACE FUNCTION _evercore_untag(id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  DELETE FROM evercore_event_tag x
   USING (SELECT e.event_type, e.position, t.tag FROM evercore_event e, json_array_elements_text(e.tags) AS t (tag)
           WHERE e.aggregate_id = id AND e.tags IS NOT NULL) b
   WHERE x.tag = b.tag COLLATE "C" AND x.event_type = b.event_type AND x.position = b.position;
  PERFORM _evercore_require_whole(NOT EXISTS (
    SELECT FROM evercore_event e CROSS JOIN json_array_elements_text(e.tags) AS t (tag)
      JOIN evercore_event_tag x ON x.tag = t.tag COLLATE "C" AND x.event_type = e.event_type AND x.position = e.position
     WHERE e.aggregate_id = id AND e.tags IS NOT NULL), 'aggregate ' || id || ' was erased');
END $$;
COMMENT ON FUNCTION _evercore_untag(bigint) IS 'Takes an aggregate''s events out of the index by tag.';

-- Both ways: each tag of an event is in the index, and each row of the index is of an event that has the tag.
CREATE OR REPLACE FUNCTION _evercore_check_tags() RETURNS TABLE (aggregate_id bigint, "position" bigint, sequence bigint, problem text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH tagged AS MATERIALIZED (
    SELECT e.aggregate_id, e.position, e.sequence, e.event_type,
           CASE WHEN array_to_json(b.bears)::text = e.tags::text AND b.bears <> '{}'
                     AND coalesce(e.declared_tags, 1) BETWEEN 1 AND cardinality(b.bears) THEN b.bears END AS bears
      FROM evercore_event e, LATERAL (SELECT _evercore_tags(e.tags::text) AS bears) b WHERE e.tags IS NOT NULL OR e.declared_tags IS NOT NULL
  ), differing AS (
    SELECT t.position FROM tagged t, unnest(t.bears) AS b (tag)
     WHERE NOT EXISTS (SELECT FROM evercore_event_tag x WHERE x.tag = b.tag COLLATE "C" AND x.event_type = t.event_type AND x.position = t.position)
    UNION
    SELECT x.position FROM evercore_event_tag x LEFT JOIN tagged t ON t.position = x.position
     WHERE t.position IS NULL OR t.bears IS NOT NULL AND NOT (t.event_type = x.event_type AND x.tag = ANY (t.bears COLLATE "C"))
  )
  SELECT t.aggregate_id, t.position, t.sequence, 'tags are damaged' FROM tagged t WHERE t.bears IS NULL
  UNION ALL
  SELECT e.aggregate_id, d.position, coalesce(e.sequence, d.position),
         CASE WHEN e.position IS NULL THEN 'index of tags without event' ELSE 'tags differ from their index' END
    FROM differing d LEFT JOIN evercore_event e ON e.position = d.position
  UNION ALL
  SELECT e.aggregate_id, e.position, e.sequence, 'tags lack what is declared'
    FROM evercore_event_type k JOIN evercore_event e ON e.event_type = k.name JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
    LEFT JOIN tagged t ON t.position = e.position
   WHERE CASE WHEN k.tags IS NULL OR k.unfilled > 0 OR a.erased OR t.position IS NOT NULL AND t.bears IS NULL OR _evercore_declared_fault(k.tags::json) IS NOT NULL THEN false
              ELSE NOT _evercore_derive_stored(k.tags::json, k.upcast_steps, e.data::json) COLLATE "C" <@ coalesce(t.bears, '{}') END
  UNION ALL
  SELECT NULL, NULL, NULL, format('declared tags of "%s" are damaged', k.name) FROM evercore_event_type k WHERE _evercore_declared_fault(k.tags::json) IS NOT NULL;
END $$;
COMMENT ON FUNCTION _evercore_check_tags() IS 'Where the tags of events, the index by tag and what is declared disagree.';
