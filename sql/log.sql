-- Reading: following the whole log, one aggregate's events, and all that a program needs to rebuild an aggregate.

-- The types and keys of the aggregates of the next events, up to the position `last`, where these aggregates are few; ids is NULL where
-- they are many. Readers of many events look them up once: a look for each event would be half of their work, and more where an old
-- snapshot keeps dead versions of the aggregate's row. Most batches of many aggregates are told by their first events. `found`: whether
-- there is any event. `upto` is the safe head where it is not given.
CREATE OR REPLACE FUNCTION _evercore_few_aggregates("after" bigint, upto bigint, "limit" bigint,
                                                    OUT ids bigint[], OUT types text[], OUT keys text[], OUT last bigint, OUT found boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  head bigint := upto;
  amount bigint;
BEGIN
  SELECT array_agg(e.aggregate_id) INTO ids FROM (SELECT x.aggregate_id FROM evercore_event x WHERE x.position > "after" ORDER BY x.position LIMIT 4) e;
  found := ids IS NOT NULL;
  IF (ids[1] IN (ids[3], ids[4])) IS NOT TRUE THEN
    ids := NULL;
    RETURN;
  END IF;
  ids := NULL;
  SELECT count(DISTINCT e.aggregate_id) INTO amount
    FROM (SELECT x.aggregate_id FROM evercore_event x WHERE x.position > "after" ORDER BY x.position LIMIT 64) e;
  IF amount > 8 THEN RETURN; END IF;
  head := coalesce(head, _evercore_safe_head());
  SELECT array_agg(e.aggregate_id), max(e.position), count(*) INTO ids, last, amount
    FROM (SELECT b.aggregate_id, max(b.position) AS position
            FROM (SELECT x.aggregate_id, x.position FROM evercore_event x WHERE x.position > "after" AND x.position <= head ORDER BY x.position LIMIT "limit") b
           GROUP BY b.aggregate_id) e;
  IF amount <= 64 THEN
    SELECT array_agg(a.aggregate_id), array_agg(t.name), array_agg(a.natural_key) INTO ids, types, keys
      FROM unnest(ids) AS i (id) JOIN evercore_aggregate a ON a.aggregate_id = i.id JOIN evercore_aggregate_type t ON t.type_id = a.type_id;
  END IF;
  IF cardinality(types) IS DISTINCT FROM amount THEN ids := NULL; END IF;
END $$;
COMMENT ON FUNCTION _evercore_few_aggregates(bigint, bigint, bigint) IS 'Of which aggregates the next events are, where these are few.';

-- Ids, types and keys of the aggregates that many of the next events belong to, for readers by a filter or a partition. They cannot tell
-- which events are theirs before they have read them, and would look the aggregate's row up for each: where an old snapshot keeps dead
-- versions of a row that appends change often, each look would walk over all of them.
CREATE OR REPLACE FUNCTION _evercore_hot_aggregates("after" bigint, OUT ids bigint[], OUT type_ids bigint[], OUT types text[], OUT keys text[])
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  WITH e AS (
    SELECT x.aggregate_id FROM (SELECT n.aggregate_id FROM evercore_event n WHERE n.position > "after" ORDER BY n.position LIMIT 32) x
     GROUP BY x.aggregate_id HAVING count(*) >= 3)
  SELECT array_agg(a.aggregate_id), array_agg(a.type_id), array_agg(t.name), array_agg(a.natural_key) INTO ids, type_ids, types, keys
    FROM @log_from(e)@;
END $$;
COMMENT ON FUNCTION _evercore_hot_aggregates(bigint) IS 'Types and keys of the aggregates that many of the next events are of.';

-- The events after one position and up to another that pass a filter, where the aggregates of many of them are known already: their rows
-- are not looked up. Rows of the others must be found by an index, which the server would not take while there are few.
CREATE OR REPLACE FUNCTION _evercore_hot_events("after" bigint, upto bigint, event_types text[], only_type text, only_type_id bigint,
                                                partitions integer, part integer, "limit" bigint,
                                                ids bigint[], type_ids bigint[], types text[], keys text[])
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT @log_row(aggregate_type=k.name; natural_key=CASE WHEN k.place IS NULL THEN a.natural_key ELSE keys[k.place] END)@
    FROM evercore_event e
         CROSS JOIN LATERAL (SELECT array_position(ids, e.aggregate_id)) AS h (place)
         LEFT JOIN evercore_aggregate a ON a.aggregate_id = CASE WHEN h.place IS NULL THEN e.aggregate_id END
         LEFT JOIN evercore_aggregate_type t ON t.type_id = a.type_id
         CROSS JOIN LATERAL (SELECT h.place, coalesce(types[h.place], t.name), coalesce(type_ids[h.place], a.type_id)) AS k (place, name, type_id)
   WHERE e.position > "after" AND e.position <= upto AND (partitions = 1 OR e.aggregate_id % partitions = part)
     AND @passes(event_types; NULL::jsonb; only_type; NULL::text; k.type_id = only_type_id)@ AND k.name IS NOT NULL
   ORDER BY e.position LIMIT "limit";
END $$;
COMMENT ON FUNCTION _evercore_hot_events(bigint, bigint, text[], text, bigint, integer, integer, bigint, bigint[], bigint[], text[], text[]) IS
  'Events that pass a filter, many of them of aggregates that are known.';

-- VOLATILE, since each statement inside must see what was committed before it: see floor.sql. The plan is made once: making it
-- takes longer than a poll that finds nothing. It must not hash every aggregate of the store for each batch, nor sort all that
-- is to come, as a plan for an unknown limit might, nor start workers for what a big store leads it to expect; without sorts there is
-- no merge join either.
--
-- Where no position was drawn after that one, or none of them can be seen yet, there is no need to ask for open transactions, which
-- takes longer than all the rest. Most polls end there, and so the next one sees an append sooner. (Comments within the function would
-- cost each call: a row of the catalogue above 2 kB is compressed.)
CREATE OR REPLACE FUNCTION evercore_follow("after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_sort = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  head bigint;
  drawn bigint;
  few record;
BEGIN
  IF evercore_follow."limit" < 0 OR (pg_sequence_last_value(to_regclass('@extschema@._evercore_timeline')) <> 0) IS NOT TRUE THEN
    PERFORM _evercore_number(evercore_follow."limit", 'limit', 0, NULL), _evercore_ready();
    IF current_setting('transaction_isolation') LIKE 'read %' AND NOT pg_is_in_recovery() THEN PERFORM _evercore_check_replica(), _evercore_check_log(); END IF;
  END IF;
  IF current_setting('transaction_isolation') LIKE 'read %' AND NOT pg_is_in_recovery() THEN
    drawn := @last_value@;
    IF drawn = evercore_follow."after" THEN RETURN; END IF;
    IF drawn IS NULL THEN
      PERFORM _evercore_ready(), _evercore_check_replica(), _evercore_check_log();
      drawn := 0;
    END IF;
    IF drawn < evercore_follow."after" THEN PERFORM _evercore_beyond(evercore_follow."after"); END IF;
    IF drawn <= coalesce(evercore_follow."after", 0) THEN RETURN; END IF;
    IF @highest@ > drawn THEN PERFORM _evercore_check_log(); END IF;
    IF drawn - coalesce(evercore_follow."after", 0) < 64 OR evercore_follow."limit" < 64 THEN
      PERFORM FROM evercore_event e WHERE e.position > coalesce(evercore_follow."after", 0) ORDER BY e.position LIMIT 1;
      IF NOT FOUND THEN RETURN; END IF;
    ELSE
      few := _evercore_few_aggregates(coalesce(evercore_follow."after", 0), NULL, evercore_follow."limit");
      IF NOT few.found THEN RETURN; END IF;
      IF few.ids IS NOT NULL THEN
        RETURN QUERY
        SELECT @log_row(aggregate_type=few.types[array_position(few.ids, e.aggregate_id)]; natural_key=few.keys[array_position(few.ids, e.aggregate_id)])@
          FROM evercore_event e
         WHERE e.position > coalesce(evercore_follow."after", 0) AND e.position <= few.last
         ORDER BY e.position;
        RETURN;
      END IF;
    END IF;
  END IF;
  head := _evercore_safe_head();
  RETURN QUERY
  SELECT @log_row@
    FROM @log_from(evercore_event e)@
   WHERE e.position > coalesce(evercore_follow."after", 0) AND e.position <= head
   ORDER BY e.position LIMIT evercore_follow."limit";
END $$;
COMMENT ON FUNCTION evercore_follow(bigint, bigint) IS
  'Events after a position, in order, up to the newest position below which nothing can still appear; READ COMMITTED only.';

-- With a filter or an upper bound. The function above stays as it is, for the polls that have neither and for the views of those who
-- call it; with no default for the filter no call is ambiguous. How events are found: see subscription_fetch.sql.
CREATE OR REPLACE FUNCTION evercore_follow("after" bigint, "limit" bigint, filter text, upto bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_sort = off
SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
  most bigint := _evercore_number(evercore_follow."limit", 'limit', 0, NULL);
  start bigint := coalesce(evercore_follow."after", 0);
  head bigint;
  wanted record;
  hot record;
  by_hot boolean := false;
  wanted_type bigint;
  only_id bigint;
BEGIN
  IF filter IS NULL AND upto IS NULL THEN
    RETURN QUERY SELECT f.* FROM evercore_follow(evercore_follow."after", evercore_follow."limit") f;
    RETURN;
  END IF;
  SELECT f.* INTO wanted FROM _evercore_filter(evercore_follow.filter) f;
  head := evercore_head();
  IF start > head AND NOT pg_is_in_recovery() THEN PERFORM _evercore_beyond(start); END IF;
  head := least(head, evercore_follow.upto);
  IF start >= head OR most = 0 THEN RETURN; END IF;
  IF head - start >= 64 AND (most < 64) IS NOT TRUE AND wanted.natural_key IS NULL AND wanted.tags IS NULL THEN
    hot := _evercore_hot_aggregates(start);
    by_hot := hot.ids IS NOT NULL;
  END IF;
  SELECT t.type_id INTO wanted_type FROM evercore_aggregate_type t WHERE t.name = wanted.aggregate_type;
  IF wanted.natural_key IS NOT NULL THEN
    SELECT a.aggregate_id INTO only_id FROM evercore_aggregate a WHERE a.type_id = wanted_type AND a.natural_key = wanted.natural_key;
    IF wanted.tags IS NOT NULL AND @look_for_tags@ THEN PERFORM _evercore_require_filled(wanted.event_types, ARRAY(SELECT jsonb_array_elements_text(wanted.tags))); END IF;
    RETURN QUERY
    SELECT @log_row(aggregate_type=wanted.aggregate_type; natural_key=wanted.natural_key)@
      FROM evercore_event e
     WHERE e.aggregate_id = only_id AND e.sequence > (SELECT _evercore_sequence_at(only_id, start)) AND e.position > start AND e.position <= head
       AND @passes_event(wanted.event_types; wanted.tags)@
     ORDER BY e.sequence LIMIT most;
  ELSIF wanted.tags IS NOT NULL THEN
    RETURN QUERY
    SELECT @log_row@
      FROM _evercore_tagged(wanted.event_types, wanted.tags, start, head, most, wanted.aggregate_type, wanted_type, 1, 0) m @log_at@
     ORDER BY e.position LIMIT most;
  ELSIF cardinality(wanted.event_types) <= @max_merged_types@ AND _evercore_has_index_by_type() THEN
    -- Of each type no more than is given out.
    RETURN QUERY
    SELECT m.* FROM (SELECT DISTINCT u.name FROM unnest(wanted.event_types) AS u (name)) k, LATERAL (
    SELECT @log_row@
      FROM @log_from(evercore_event e)@
     WHERE @of_type(k.name COLLATE "C"; start; head)@
       AND @passes_aggregate(wanted.aggregate_type; NULL::text; a.type_id = wanted_type)@
     ORDER BY e.event_type, e.position LIMIT most) m
     ORDER BY 1 LIMIT most;
  ELSIF by_hot THEN
    RETURN QUERY SELECT h.* FROM _evercore_hot_events(start, head, wanted.event_types, wanted.aggregate_type, wanted_type, 1, 0, most,
                                                      hot.ids, hot.type_ids, hot.types, hot.keys) h;
  ELSE
    RETURN QUERY
    SELECT @log_row@
      FROM @log_from(evercore_event e)@
     WHERE e.position > start AND e.position <= head
       AND @passes(wanted.event_types; NULL::jsonb; wanted.aggregate_type; NULL::text; a.type_id = wanted_type)@
     ORDER BY e.position LIMIT most;
  END IF;
END $$;
COMMENT ON FUNCTION evercore_follow(bigint, bigint, text, bigint) IS
  'The same for events that pass the filter of a subscription, up to a position.';

CREATE OR REPLACE FUNCTION evercore_head() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  head bigint := _evercore_safe_head();
BEGIN
  IF NOT pg_is_in_recovery() THEN PERFORM _evercore_check_log(); END IF;
  RETURN coalesce(head, 0);
END $$;
COMMENT ON FUNCTION evercore_head() IS 'The newest position below which nothing can still appear, 0 in an empty store; READ COMMITTED only.';

-- The aggregate is looked up once: its row, which appends change often, may have many dead versions to walk over.
CREATE OR REPLACE FUNCTION evercore_events(id bigint, "after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  whose record;
BEGIN
  PERFORM _evercore_ready();
  IF evercore_events."limit" < 0 THEN
    RETURN QUERY SELECT e.* FROM evercore_events(evercore_events.id, evercore_events."after", evercore_events."limit", NULL::bigint) e;
    RETURN;
  END IF;
  SELECT t.name, a.natural_key INTO whose FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
   WHERE a.aggregate_id = evercore_events.id;
  IF NOT FOUND THEN RETURN; END IF;
  RETURN QUERY
  SELECT @log_row(aggregate_type=whose.name; natural_key=whose.natural_key)@
    FROM evercore_event e
   WHERE e.aggregate_id = evercore_events.id AND e.sequence > coalesce(evercore_events."after", 0)
   ORDER BY e.sequence LIMIT evercore_events."limit";
END $$;
COMMENT ON FUNCTION evercore_events(bigint, bigint, bigint) IS
  'One aggregate''s events after a sequence, in order; the last so many, newest first, where the limit is negative.';

CREATE OR REPLACE FUNCTION evercore_events(id bigint, "after" bigint, "limit" bigint, upto bigint)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  most bigint := CASE WHEN evercore_events."limit" < 0 THEN -greatest(evercore_events."limit", -9223372036854775807) ELSE evercore_events."limit" END;
  whose record;
BEGIN
  PERFORM _evercore_ready();
  SELECT t.name, a.natural_key INTO whose FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
   WHERE a.aggregate_id = evercore_events.id;
  IF NOT FOUND THEN RETURN; END IF;
  IF evercore_events."limit" < 0 THEN
    RETURN QUERY
    SELECT @log_row(aggregate_type=whose.name; natural_key=whose.natural_key)@
      FROM evercore_event e
     WHERE e.aggregate_id = evercore_events.id AND e.sequence > coalesce(evercore_events."after", 0)
       AND e.sequence <= coalesce(evercore_events.upto, 9223372036854775807)
     ORDER BY e.sequence DESC LIMIT most;
  ELSE
    RETURN QUERY
    SELECT @log_row(aggregate_type=whose.name; natural_key=whose.natural_key)@
      FROM evercore_event e
     WHERE e.aggregate_id = evercore_events.id AND e.sequence > coalesce(evercore_events."after", 0)
       AND e.sequence <= coalesce(evercore_events.upto, 9223372036854775807)
     ORDER BY e.sequence LIMIT most;
  END IF;
END $$;
COMMENT ON FUNCTION evercore_events(bigint, bigint, bigint, bigint) IS
  'One aggregate''s events after a sequence and up to another; the last so many, newest first, where the limit is negative.';

-- Data are given upcast: the base was folded from them so.
CREATE OR REPLACE FUNCTION evercore_replay(id bigint, version bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  base record;
  amount bigint;
  start bigint := 0;
  state json := '{}';
BEGIN
  PERFORM _evercore_known(evercore_replay.id, false);
  SELECT a.base, a.sequence, a.natural_key, a.erased, t.name, NOT a.erased AND EXISTS (SELECT FROM evercore_event_type k WHERE k.upcast_steps IS NOT NULL) AS upcast
    INTO base
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
      IF NOT FOUND THEN PERFORM _evercore_missing(evercore_replay.id, 0); END IF;
    END IF;
  END IF;
  IF start > base.sequence THEN
    PERFORM _evercore_refuse('EV010', format('events of aggregate %s are missing between sequences %s and %s: evercore_check() names the place',
                                             evercore_replay.id, base.sequence, start + 1));
  END IF;
  RETURN QUERY VALUES (@log_base(aggregate_id=evercore_replay.id; aggregate_type=base.name; natural_key=base.natural_key; sequence=start; data=state)@);
  IF NOT base.upcast THEN
    RETURN QUERY
    SELECT @log_row(aggregate_type=base.name; natural_key=base.natural_key)@
      FROM evercore_event e
     WHERE e.aggregate_id = evercore_replay.id AND e.sequence > start AND e.sequence <= base.sequence ORDER BY e.sequence;
  ELSE
    RETURN QUERY
    SELECT @log_row(aggregate_type=base.name; natural_key=base.natural_key; data=upcast.data)@
      FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type,
           LATERAL (SELECT CASE WHEN k.upcast_steps IS NULL THEN e.data ELSE _evercore_upcast_document(e.data, k.upcast_steps) END AS data) upcast
     WHERE e.aggregate_id = evercore_replay.id AND e.sequence > start AND e.sequence <= base.sequence ORDER BY e.sequence;
  END IF;
  GET DIAGNOSTICS amount = ROW_COUNT;
  IF amount < base.sequence - start THEN PERFORM _evercore_missing(evercore_replay.id, start); END IF;
END $$;
COMMENT ON FUNCTION evercore_replay(bigint, bigint) IS
  'A base row (the newest snapshot, or nothing yet) and the events after it: all that rebuilds an aggregate.';
