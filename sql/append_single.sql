-- One event by evercore_append_many, to an aggregate that is named by its id: what most decisions write.

-- Each expression of a function is set up anew in each transaction, which costs more than to evaluate it. So there are few of them on the ways
-- that are plain: no statement has gone before in the transaction, nothing is declared that concerns appends, there are up to three tags, and
-- a condition, if there is one, is one type and one tag. NULL, and nothing is done, where anything is or may be otherwise, also a fault.

CREATE OR REPLACE FUNCTION _evercore_append_decision(appends text, condition text, "after" bigint, newest bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  parsed jsonb;
  wanted jsonb;
  event jsonb;
  listed text COLLATE "C";      -- the tags as jsonb prints them
  plain boolean;
  id bigint;
  placed bigint[];
BEGIN
  BEGIN
    parsed := appends::jsonb;
    wanted := condition::jsonb;
    event := parsed #> '{0,events,0}';
    listed := event->>'tags';
    plain := @plain_decision@;
  EXCEPTION WHEN OTHERS THEN
    plain := NULL;
  END;
  IF plain IS NOT TRUE THEN RETURN NULL; END IF;
  id := parsed #>> '{0,aggregate_id}';
  placed := _evercore_append_tagged(id, (parsed #>> '{0,expected}')::bigint, event->>'event_type', appends::json #> '{0,events,0,data}',
    string_to_array(left(substr(listed, 3), -2), '", "'), wanted #>> '{0,types,0}', wanted #>> '{0,tags,0}', coalesce("after", 0), newest);
  RETURN CASE WHEN placed IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
    'aggregate_id', id, 'first_position', placed[2], 'sequence', placed[1], 'position', placed[2])) END;
END $$;
COMMENT ON FUNCTION _evercore_append_decision(text, text, bigint, bigint) IS
  'Appends one event with tags, given plainly, under a plain condition if any; or gives NULL.';

-- The condition: that no event of a type with a tag stands above a position; NULL: none.
CREATE OR REPLACE FUNCTION _evercore_append_tagged(id bigint, expected bigint, event_type text, data json, bears text[],
                                                   wanted_type text, wanted_tag text, "after" bigint, newest bigint) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  reached bigint;
  match bigint;
  placed bigint;
  written bigint;
BEGIN
  IF (pg_current_xact_id_if_assigned() IS NULL AND @unmarked@ AND current_setting('transaction_isolation') LIKE 'read %' AND "after" BETWEEN 0 AND newest
      AND bears[1] COLLATE "C" <> ALL (bears[2:]) AND bears[2] COLLATE "C" <> ALL (bears[3:]) AND cardinality(bears) <= 3) IS NOT TRUE THEN RETURN NULL; END IF;
  UPDATE evercore_aggregate a SET sequence = a.sequence + 1 WHERE a.aggregate_id = id AND NOT a.erased RETURNING a.sequence INTO reached;
  IF reached IS NULL OR reached - 1 <> expected THEN
    PERFORM _evercore_known(id, true), _evercore_conflict(id, reached - 1, expected);
  END IF;
  IF NOT @unmarked@ THEN  -- something was declared meanwhile
    UPDATE evercore_aggregate a SET sequence = reached - 1 WHERE a.aggregate_id = id;
    RETURN NULL;
  END IF;
  -- As _evercore_hold_keys does: one after the other, and the store's key last.
  PERFORM CASE WHEN k.alone THEN pg_advisory_xact_lock(@tag_keys@, k.key) ELSE pg_advisory_xact_lock_shared(@tag_keys@, k.key) END
    FROM (SELECT hashtext(t COLLATE "C") AS key, bool_or(t COLLATE "C" = wanted_tag) AS alone FROM unnest(bears || wanted_tag) AS t WHERE t IS NOT NULL GROUP BY 1 ORDER BY 1 OFFSET 0) k;
  IF wanted_tag IS NOT NULL AND pg_advisory_xact_lock_shared(@store_keys@, 0) IS NOT NULL THEN
    SELECT x.position INTO match FROM evercore_event_tag x
     WHERE x.tag = wanted_tag COLLATE "C" AND x.event_type = wanted_type COLLATE "C" AND x.position > "after" ORDER BY x.position LIMIT 1;
    IF FOUND THEN PERFORM _evercore_refuse_match(match); END IF;
  END IF;
  placed := CASE WHEN pg_advisory_xact_lock_shared(@store_keys@, 0) IS NOT NULL THEN @place(true; newest)@ END;
  INSERT INTO evercore_event_tag SELECT u, event_type, placed FROM unnest(bears) AS u;
  GET DIAGNOSTICS written = ROW_COUNT;
  @insert_event@
  VALUES (placed, clock_timestamp(), id, reached, event_type, data, NULL, NULL, NULL, NULL, array_to_json(bears), NULL);
  IF (FOUND AND written = cardinality(bears) AND placed & 7 > 0 AND placed > newest) IS NOT TRUE THEN
    IF NOT FOUND THEN PERFORM _evercore_written(0, 1); END IF;
    IF written <> cardinality(bears) THEN PERFORM _evercore_refuse_tags(); END IF;
    IF placed <= newest THEN PERFORM _evercore_check_position(); END IF;
    IF placed & 7 = 0 OR @marks@ IS NULL THEN PERFORM setval('@extschema@._evercore_highest'::regclass, greatest(placed, @highest@) | @flags@); END IF;
  END IF;
  RETURN ARRAY[reached, placed];
END $$;
COMMENT ON FUNCTION _evercore_append_tagged(bigint, bigint, text, json, text[], text, text, bigint, bigint) IS
  'Appends one event with tags, where that is plain, and gives its sequence and position; else NULL.';

-- One event to an aggregate that is named by its id, at a third of the cost of arrays. NULL where a right
-- document is anything else. Under a condition evercore_append finds all the keys held that it asks for; so not where a type declares tags,
-- and not under one that holds the store's key in place of others: keys would be taken after that.
CREATE OR REPLACE FUNCTION _evercore_append_single(document json, condition jsonb, "after" bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  one json := document->0;
  event json := one->'events'->0;
  id bigint := (one->>'aggregate_id')::numeric;
  expected bigint := (one->>'expected')::numeric;
  version bigint;
  placed bigint;
BEGIN
  IF id IS NULL OR event->>'event_id' IS NOT NULL OR json_array_length(document) > 1 OR json_array_length(one->'events') > 1 THEN RETURN NULL; END IF;
  IF condition IS NOT NULL THEN
    IF condition = '[]' OR jsonb_path_exists(condition, '$[*] ? (!exists (@.tags))') THEN RETURN NULL; END IF;
    @enter@
    IF @look_for_tags@ AND (SELECT k.tags FROM evercore_event_type k WHERE k.name = event->>'event_type' COLLATE "C") IS NOT NULL THEN RETURN NULL; END IF;
    SELECT a.sequence INTO version FROM evercore_aggregate a WHERE a.aggregate_id = id AND NOT a.erased FOR NO KEY UPDATE;
    IF version IS NULL OR version <> expected THEN PERFORM _evercore_known(id, true), _evercore_conflict(id, version, expected); END IF;
    PERFORM _evercore_hold_keys(ARRAY[event->>'event_type'], _evercore_tags(event->>'tags'), condition, false);
    PERFORM _evercore_check_condition(condition, "after");
  END IF;
  version := evercore_append(id, expected, event->>'event_type', event->>'data', event->>'reference', event->>'metadata', event->>'event_time', NULL,
                             event->>'tags');
  SELECT e.position INTO placed FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence = version;
  RETURN jsonb_build_array(jsonb_build_object('aggregate_id', id, 'first_position', placed, 'sequence', version, 'position', placed));
END $$;
COMMENT ON FUNCTION _evercore_append_single(json, jsonb, bigint) IS 'Appends one event of a JSON array of appends, as evercore_append does, or gives NULL.';
