-- One event by evercore_append_many, to an aggregate that is there: what most decisions write.

-- One event to an aggregate that is there, at a third of the cost of arrays. NULL where a right document is anything else, and for a repeat.
-- Under a condition evercore_append finds all the keys held that it asks for; so not where a type declares tags,
-- and not under one that holds the store's key in place of others: keys would be taken after that.
CREATE OR REPLACE FUNCTION _evercore_append_single(document json, condition jsonb, "after" bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  one json := document->0;
  event json := one->'events'->0;
  id bigint := (one->>'aggregate_id')::numeric;
  expected bigint := (one->>'expected')::numeric;
  identity text := event->>'event_id';
  version bigint;
  placed bigint;
BEGIN
  IF json_array_length(document) > 1 OR json_array_length(one->'events') > 1 THEN RETURN NULL; END IF;
  IF id IS NULL THEN
    -- Whoever holds an aggregate does not look for its key again: what may still go to the arrays is left to them at once.
    IF coalesce(identity, condition::text) IS NOT NULL THEN RETURN NULL; END IF;
    id := _evercore_held_by_key(one->>'aggregate_type', one->>'natural_key');
    IF id IS NULL THEN RETURN NULL; END IF;
  END IF;
  IF identity IS NOT NULL THEN
    @enter@
    PERFORM FROM evercore_aggregate a WHERE a.aggregate_id = id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM _evercore_event_ids(ARRAY[identity])) THEN RETURN NULL; END IF;
  END IF;
  IF condition IS NOT NULL THEN
    IF condition = '[]' OR jsonb_path_exists(condition, '$[*] ? (!exists (@.tags))') THEN RETURN NULL; END IF;
    LOCK TABLE evercore_aggregate IN ROW EXCLUSIVE MODE;  -- as who enters: a condition is READ COMMITTED
    IF @look_for_tags@ AND (SELECT k.tags FROM evercore_event_type k WHERE k.name = event->>'event_type' COLLATE "C") IS NOT NULL THEN RETURN NULL; END IF;
    SELECT a.sequence INTO version FROM evercore_aggregate a WHERE a.aggregate_id = id AND NOT a.erased FOR NO KEY UPDATE;
    IF version IS NULL OR version <> expected THEN PERFORM _evercore_known(id, true), _evercore_conflict(id, version, expected); END IF;
    PERFORM _evercore_hold_keys(ARRAY[event->>'event_type'], _evercore_tags(event->>'tags'), condition, false);
    PERFORM _evercore_check_condition(condition, "after");
  END IF;
  version := evercore_append(id, expected, event->>'event_type', event->>'data', event->>'reference', event->>'metadata', event->>'event_time', identity,
                             event->>'tags');
  SELECT e.position INTO placed FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence = version;
  RETURN jsonb_build_array(jsonb_build_object('aggregate_id', id, 'first_position', placed, 'sequence', version, 'position', placed));
END $$;
COMMENT ON FUNCTION _evercore_append_single(json, jsonb, bigint) IS 'Appends one event of a JSON array of appends, as evercore_append does, or gives NULL.';
