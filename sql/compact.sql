-- Removing what is no longer needed: superseded snapshots and old events. Erasure stands in erase.sql.

-- Why events up to a sequence may not go, or NULL.
CREATE OR REPLACE FUNCTION _evercore_protected(id bigint, upto bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  custom bigint;
  reader text := _evercore_unread(id, upto);
  tagged bigint;
BEGIN
  SELECT max(e.sequence) INTO custom FROM evercore_event e JOIN evercore_event_type k ON k.name = e.event_type
   WHERE e.aggregate_id = id AND e.sequence <= upto AND k.fold = 'custom'
     AND NOT (SELECT a.erased FROM evercore_aggregate a WHERE a.aggregate_id = id);
  IF custom IS NULL THEN
    -- Events that were compacted earlier need that snapshot as well.
    SELECT max(a.base) INTO custom FROM evercore_aggregate a
      JOIN evercore_compacted_type c ON c.aggregate_id = a.aggregate_id JOIN evercore_event_type k ON k.name = c.event_type
     WHERE a.aggregate_id = id AND k.fold = 'custom' AND NOT a.erased;
  END IF;
  IF custom IS NOT NULL
     AND coalesce((SELECT max(s.sequence) FROM evercore_snapshot s WHERE s.aggregate_id = id AND s.version IS NOT NULL), 0) < upto THEN
    RETURN format('aggregate %s has custom events up to sequence %s that no application snapshot covers', id, custom);
  ELSIF reader IS NOT NULL THEN
    RETURN format('aggregate %s has events that subscription "%s" has not read', id, reader);
  END IF;
  -- Until the tags of its type are filled, an event counts as tagged. An erased one gets no tags.
  SELECT min(e.position) INTO tagged FROM evercore_event e
   WHERE e.aggregate_id = id AND e.sequence <= upto
     AND (e.tags IS NOT NULL OR EXISTS (SELECT FROM evercore_event_type k WHERE k.name = e.event_type AND k.unfilled > 0)
                                AND NOT (SELECT a.erased FROM evercore_aggregate a WHERE a.aggregate_id = id));
  RETURN 'event ' || tagged || ' bears tags and stays';
END $$;
COMMENT ON FUNCTION _evercore_protected(bigint, bigint) IS 'Why an aggregate''s events up to a sequence may not be removed, or NULL.';

CREATE OR REPLACE FUNCTION _evercore_open_log(open boolean) RETURNS void
LANGUAGE sql VOLATILE AS $$
  SELECT set_config('evercore.compacting', CASE WHEN open THEN 'on' ELSE '' END, true)
$$;
COMMENT ON FUNCTION _evercore_open_log(boolean) IS 'Lets this transaction past the append-only trigger; a rollback closes it again.';

CREATE OR REPLACE FUNCTION _evercore_append_only() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF current_setting('evercore.compacting', true) = 'on' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'EV010: events are append-only' USING ERRCODE = 'EV010';
END $$;
COMMENT ON FUNCTION _evercore_append_only() IS 'Refuses UPDATE, DELETE and TRUNCATE of events: a seat belt for owners, whom rights do not stop.';

CREATE OR REPLACE FUNCTION _evercore_drop_superseded(id bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
  WITH gone AS (
    DELETE FROM evercore_snapshot s USING evercore_aggregate a
     WHERE a.aggregate_id = id AND s.aggregate_id = id AND (s.version IS NOT NULL OR s.sequence <> a.base)
       AND EXISTS (SELECT FROM evercore_snapshot n WHERE n.aggregate_id = id AND n.version IS NOT DISTINCT FROM s.version AND n.sequence > s.sequence)
    RETURNING 1)
  SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION _evercore_drop_superseded(bigint) IS 'Drops all snapshots but the newest of each version and the base.';

CREATE OR REPLACE FUNCTION _evercore_is_remembered(id bigint, upto bigint) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
  SELECT EXISTS (SELECT FROM evercore_aggregate a
                  WHERE a.aggregate_id = id AND a.base = upto
                    AND (a.erased OR EXISTS (SELECT FROM evercore_snapshot s WHERE s.aggregate_id = id AND s.version IS NULL AND s.sequence = upto)))
     AND NOT EXISTS (SELECT FROM evercore_event e
                      WHERE e.aggregate_id = id AND e.sequence <= upto
                        AND (NOT EXISTS (SELECT FROM evercore_compacted_type c
                                          WHERE c.aggregate_id = id AND c.event_type = e.event_type AND c.position >= e.position)
                             OR e.event_id IS NOT NULL
                                AND NOT EXISTS (SELECT FROM evercore_event_id i
                                                 WHERE i.event_id = e.event_id AND i.aggregate_id = id AND i.position = e.position)))
$$;
COMMENT ON FUNCTION _evercore_is_remembered(bigint, bigint) IS 'Whether the base, types and event_ids of events are kept that are about to be removed.';

-- Removes events up to a sequence; the aggregate is locked and nothing protects them.
CREATE OR REPLACE FUNCTION _evercore_remove(id bigint, upto bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  removed bigint;
BEGIN
  PERFORM _evercore_store_snapshot(id, upto) FROM evercore_aggregate a WHERE a.aggregate_id = id AND NOT a.erased;
  INSERT INTO evercore_event_id (event_id, aggregate_id, sequence, position, event_type, digest)
  SELECT e.event_id, e.aggregate_id, e.sequence, e.position, e.event_type, CASE WHEN NOT a.erased THEN sha256(convert_to(e.data::text, 'UTF8')) END
    FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
   WHERE e.aggregate_id = id AND e.sequence <= upto AND e.event_id IS NOT NULL;
  INSERT INTO evercore_compacted_type AS c (aggregate_id, event_type, position)
  SELECT e.aggregate_id, e.event_type, max(e.position) FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence <= upto GROUP BY 1, 2
      ON CONFLICT (aggregate_id, event_type) DO UPDATE SET position = greatest(c.position, excluded.position);
  UPDATE evercore_aggregate a
     SET base = upto, base_position = r.position, base_event_time = r.happened,
         first_event_time = coalesce(a.first_event_time, r.first_time), newest_removed = greatest(a.newest_removed, r.newest)
    FROM (SELECT max(e.position) AS position,
                 (array_agg(coalesce(e.event_time, e.recorded_at) ORDER BY e.sequence DESC))[1] AS happened,
                 (array_agg(coalesce(e.event_time, e.recorded_at) ORDER BY e.sequence))[1] AS first_time,
                 max(coalesce(e.event_time, e.recorded_at)) AS newest
            FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence <= upto) r
   WHERE a.aggregate_id = id;
  PERFORM _evercore_require_whole(_evercore_is_remembered(id, upto), 'aggregate ' || id || ' was compacted');
  -- Removed events no longer show how far positions were given.
  PERFORM setval('@extschema@._evercore_highest'::regclass, greatest(@highest@, @last_position@, (SELECT max(e.position) FROM evercore_event e)) | @flags@);
  PERFORM _evercore_open_log(true);
  DELETE FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence <= upto;
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM _evercore_open_log(false);
  PERFORM _evercore_require_whole(NOT EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence <= upto), 'aggregate ' || id || ' was compacted');
  RETURN removed;
END $$;
COMMENT ON FUNCTION _evercore_remove(bigint, bigint)
  IS 'Removes an aggregate''s events up to a sequence, keeping a base snapshot and what must be known of them.';

CREATE OR REPLACE FUNCTION evercore_compact(id bigint, keep_events bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  aggregate record;
  upto bigint;
  removed bigint := 0;
  reason text;
BEGIN
  @home@
  PERFORM _evercore_number(keep_events, 'keep_events', 0, NULL), _evercore_known(id, false);
  IF keep_events IS NULL THEN PERFORM _evercore_enter(); ELSE PERFORM _evercore_enter_compaction(); END IF;
  SELECT a.* INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = id FOR NO KEY UPDATE;
  upto := greatest(aggregate.sequence - keep_events, aggregate.base);
  IF keep_events IS NOT NULL AND upto > aggregate.base THEN
    reason := _evercore_protected(id, upto);
    IF reason IS NOT NULL THEN PERFORM _evercore_refuse('EV010', reason); END IF;
    removed := _evercore_remove(id, upto);
  END IF;
  PERFORM _evercore_drop_superseded(id);
  PERFORM _evercore_require_whole(NOT _evercore_superseded(id, upto), 'aggregate ' || id || ' was compacted');
  RETURN removed;
END $$;
COMMENT ON FUNCTION evercore_compact(bigint, bigint) IS
  'Drops superseded snapshots and, with keep_events, all but the newest events; gives the number of events removed.';

CREATE OR REPLACE FUNCTION evercore_compact_type(type text, keep_events bigint DEFAULT NULL, max bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  kind integer;
  candidate record;
  aggregate record;
  base bigint;
  compacted bigint := 0;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(type, 'aggregate_type', @max_name@), _evercore_number(keep_events, 'keep_events', 0, NULL),
          _evercore_number(max, 'max', 1, NULL);
  SELECT t.type_id INTO kind FROM evercore_aggregate_type t WHERE t.name = type COLLATE "C";
  IF NOT FOUND THEN PERFORM _evercore_refuse('EV002', format('no aggregate type "%s"', type)); END IF;
  IF keep_events IS NULL THEN PERFORM _evercore_enter(); ELSE PERFORM _evercore_enter_compaction(); END IF;
  -- Which aggregates is chosen first, longest first, and no more of them are looked at closely than max asks for; they are locked by id, in
  -- the one order of all calls. Once one of them is compacted no other is waited for: whoever has one in hand may be waiting for an event_id
  -- that went from the first.
  FOR candidate IN
    SELECT c.aggregate_id FROM (
      SELECT a.aggregate_id
        FROM (SELECT e.aggregate_id, e.sequence, e.base FROM evercore_aggregate e WHERE e.type_id = kind
               ORDER BY e.sequence - e.base DESC, e.aggregate_id OFFSET 0) a
       WHERE CASE WHEN a.sequence - a.base > keep_events THEN _evercore_protected(a.aggregate_id, a.sequence - keep_events) IS NULL
                  ELSE _evercore_superseded(a.aggregate_id, a.base) END
       LIMIT max) c
     ORDER BY c.aggregate_id LOOP
    IF compacted = 0 THEN
      SELECT a.* INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = candidate.aggregate_id FOR NO KEY UPDATE;
    ELSE
      SELECT a.* INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = candidate.aggregate_id FOR NO KEY UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
    END IF;
    IF aggregate.sequence - aggregate.base > keep_events THEN
      CONTINUE WHEN _evercore_protected(aggregate.aggregate_id, aggregate.sequence - keep_events) IS NOT NULL;
      PERFORM _evercore_remove(aggregate.aggregate_id, aggregate.sequence - keep_events);
    END IF;
    PERFORM _evercore_drop_superseded(aggregate.aggregate_id);
    SELECT a.base INTO base FROM evercore_aggregate a WHERE a.aggregate_id = aggregate.aggregate_id;
    PERFORM _evercore_require_whole(NOT _evercore_superseded(aggregate.aggregate_id, base),
      'aggregate ' || aggregate.aggregate_id || ' was compacted');
    compacted := compacted + 1;
  END LOOP;
  RETURN compacted;
END $$;
COMMENT ON FUNCTION evercore_compact_type(text, bigint, bigint) IS
  'Compacts aggregates of a type, the longest first, at most max of them; gives how many, 0 when done.';

CREATE OR REPLACE FUNCTION _evercore_superseded(id bigint, base bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM evercore_snapshot s JOIN evercore_snapshot n
                     ON n.aggregate_id = s.aggregate_id AND n.version IS NOT DISTINCT FROM s.version AND n.sequence > s.sequence
                  WHERE s.aggregate_id = id AND (s.version IS NOT NULL OR s.sequence <> base))
$$;
COMMENT ON FUNCTION _evercore_superseded(bigint, bigint) IS 'Whether an aggregate has snapshots that newer ones supersede.';
