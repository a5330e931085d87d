-- Reading: following the whole log, one aggregate's events, and all that a program needs to rebuild an aggregate.

-- VOLATILE, since each statement inside must see what was committed before it: see floor.sql. The plan is made once: making it
-- takes longer than a poll that finds nothing. It must not hash every aggregate of the store for each batch, nor sort all that
-- is to come, as a plan for an unknown limit might; without sorts there is no merge join either.
CREATE OR REPLACE FUNCTION evercore_follow("after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE ("position" bigint, aggregate_id bigint, aggregate_type text, natural_key text, sequence bigint, event_type text,
               data json, reference text, metadata json, event_time timestamptz, recorded_at timestamptz, event_id text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET enable_hashjoin = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  head bigint;
  drawn bigint;
BEGIN
  IF evercore_follow."limit" < 0 OR (pg_sequence_last_value(to_regclass('@extschema@._evercore_timeline')) <> 0) IS NOT TRUE THEN
    PERFORM _evercore_number(evercore_follow."limit", 'limit', 0, NULL), _evercore_ready();
    IF current_setting('transaction_isolation') LIKE 'read %' AND NOT pg_is_in_recovery() THEN PERFORM _evercore_check_log(); END IF;
  END IF;
  -- Where no position was drawn after that one, or none of them can be seen yet, there is no need to ask who is under way, which
  -- takes longer than all the rest. Most polls end here, and so the next one sees an append sooner.
  IF current_setting('transaction_isolation') LIKE 'read %' AND NOT pg_is_in_recovery() THEN
    drawn := @last_value@;
    IF drawn = evercore_follow."after" THEN RETURN; END IF;
    IF drawn IS NULL THEN
      PERFORM _evercore_check_log();
      drawn := 0;
    END IF;
    IF drawn < evercore_follow."after" THEN PERFORM _evercore_beyond(evercore_follow."after"); END IF;
    IF drawn <= coalesce(evercore_follow."after", 0) THEN RETURN; END IF;
    PERFORM FROM evercore_event e WHERE e.position > coalesce(evercore_follow."after", 0) ORDER BY e.position LIMIT 1;
    IF NOT FOUND THEN RETURN; END IF;
  END IF;
  head := _evercore_safe_head();
  RETURN QUERY
  SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, e.event_type, e.data, e.reference, e.metadata,
         coalesce(e.event_time, e.recorded_at), e.recorded_at, e.event_id
    FROM evercore_event e
    JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
    JOIN evercore_aggregate_type t ON t.type_id = a.type_id
   WHERE e.position > coalesce(evercore_follow."after", 0) AND e.position <= head
   ORDER BY e.position LIMIT evercore_follow."limit";
END $$;
COMMENT ON FUNCTION evercore_follow(bigint, bigint) IS
  'Events after a position, in order, up to the newest position below which nothing can still appear; READ COMMITTED only.';

CREATE OR REPLACE FUNCTION evercore_events(id bigint, "after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE ("position" bigint, aggregate_id bigint, aggregate_type text, natural_key text, sequence bigint, event_type text,
               data json, reference text, metadata json, event_time timestamptz, recorded_at timestamptz, event_id text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  most bigint := _evercore_number(evercore_events."limit", 'limit', 0, NULL);
BEGIN
  PERFORM _evercore_ready();
  RETURN QUERY
  SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, e.event_type, e.data, e.reference, e.metadata,
         coalesce(e.event_time, e.recorded_at), e.recorded_at, e.event_id
    FROM evercore_event e
    JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
    JOIN evercore_aggregate_type t ON t.type_id = a.type_id
   WHERE e.aggregate_id = evercore_events.id AND e.sequence > coalesce(evercore_events."after", 0)
   ORDER BY e.sequence LIMIT most;
END $$;
COMMENT ON FUNCTION evercore_events(bigint, bigint, bigint) IS 'One aggregate''s events after a sequence, in order.';

CREATE OR REPLACE FUNCTION evercore_replay(id bigint, version bigint DEFAULT NULL)
RETURNS TABLE ("position" bigint, aggregate_id bigint, aggregate_type text, natural_key text, sequence bigint, event_type text,
               data json, reference text, metadata json, event_time timestamptz, recorded_at timestamptz, event_id text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  base record;
  amount bigint;
  start bigint := 0;
  state json := '{}';
BEGIN
  PERFORM _evercore_known(evercore_replay.id, false);
  SELECT a.base, a.sequence, a.natural_key, a.erased, t.name INTO base
    FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id WHERE a.aggregate_id = evercore_replay.id;
  SELECT s.sequence, s.state INTO start, state FROM evercore_snapshot s
   WHERE s.aggregate_id = evercore_replay.id AND s.version IS NOT DISTINCT FROM evercore_replay.version AND s.sequence >= base.base
   ORDER BY s.sequence DESC LIMIT 1;
  IF NOT FOUND THEN
    start := base.base;
    state := '{}';
    IF base.base > 0 AND NOT base.erased THEN
      IF evercore_replay.version IS NOT NULL AND EXISTS (
           SELECT FROM evercore_compacted_type c JOIN evercore_event_type k ON k.name = c.event_type
            WHERE c.aggregate_id = evercore_replay.id AND k.fold = 'custom') THEN
        RAISE EXCEPTION 'EV002: aggregate % was compacted to sequence % under an application snapshot of another version',
          evercore_replay.id, base.base USING ERRCODE = 'EV002';
      END IF;
      SELECT s.state INTO state FROM evercore_snapshot s
       WHERE s.aggregate_id = evercore_replay.id AND s.version IS NULL AND s.sequence = base.base;
    END IF;
  END IF;
  RETURN QUERY VALUES (NULL::bigint, evercore_replay.id, base.name, base.natural_key, start, NULL::text,
                       state, NULL::text, NULL::json, NULL::timestamptz, NULL::timestamptz, NULL::text);
  RETURN QUERY
  SELECT e.position, e.aggregate_id, base.name, base.natural_key, e.sequence, e.event_type, e.data, e.reference, e.metadata,
         coalesce(e.event_time, e.recorded_at), e.recorded_at, e.event_id
    FROM evercore_event e
   WHERE e.aggregate_id = evercore_replay.id AND e.sequence > start AND e.sequence <= base.sequence ORDER BY e.sequence;
  GET DIAGNOSTICS amount = ROW_COUNT;
  IF amount < base.sequence - start THEN PERFORM _evercore_missing(evercore_replay.id, start); END IF;
END $$;
COMMENT ON FUNCTION evercore_replay(bigint, bigint) IS
  'A base row (the newest snapshot, or nothing yet) and the events after it: all that rebuilds an aggregate.';
