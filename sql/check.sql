-- What is wrong with a store: nothing, one hopes.

CREATE OR REPLACE FUNCTION evercore_check() RETURNS TABLE (aggregate_id bigint, "position" bigint, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM _evercore_ready();
  -- Nothing else can be looked at with functions or tables that are not what they should be.
  RETURN QUERY SELECT NULL::bigint, NULL::bigint, format('function %s is %s', f.signature, f.fault) FROM _evercore_function_faults() f WHERE f.fault IS NOT NULL
   ORDER BY starts_with(f.statement, 'AGGREGATE'), f.signature COLLATE "C";
  IF FOUND AND EXISTS (SELECT FROM _evercore_function_faults() f WHERE f.fault IS NOT NULL AND f.statement IS NOT NULL) THEN RETURN; END IF;
  RETURN QUERY SELECT NULL::bigint, NULL::bigint, f.problem FROM _evercore_relation_faults() f ORDER BY 3;
  IF FOUND AND EXISTS (SELECT FROM _evercore_relation_faults() f WHERE f.kind IN ('table', 'sequence')) THEN RETURN; END IF;
  -- With other steps an upcast gives other data, so states and tags cannot be checked.
  RETURN QUERY SELECT NULL::bigint, NULL::bigint, format('upcast of "%s" is damaged', k.name) FROM evercore_event_type k
   WHERE k.upcast_steps IS DISTINCT FROM _evercore_upcast_steps(k.upcast) ORDER BY k.name;
  IF FOUND THEN RETURN; END IF;
  RETURN QUERY SELECT c.* FROM _evercore_check_data() c UNION ALL SELECT NULL, NULL, d.problem FROM _evercore_drift() d;
END $$;
COMMENT ON FUNCTION evercore_check() IS 'Every problem of the store, one a row; none when all is well.';

-- What it is made of is looked at by evercore_check itself, before and after.
CREATE OR REPLACE FUNCTION _evercore_check_data() RETURNS TABLE (aggregate_id bigint, "position" bigint, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.aggregate_id, f.position, f.problem
    FROM (SELECT l.* FROM _evercore_log_faults() l
          UNION ALL SELECT s.* FROM _evercore_snapshot_faults() s
          UNION ALL SELECT c.* FROM _evercore_compaction_faults() c
          UNION ALL SELECT NULL, c.position, c.position, 7, c.problem FROM _evercore_check_cursors() c
          UNION ALL SELECT d.* FROM _evercore_declaration_faults() d) f
   ORDER BY f.aggregate_id NULLS LAST, f.place, f.rank, f.problem;
END $$;
COMMENT ON FUNCTION _evercore_check_data() IS 'Every problem of what a store holds, one a row.';

-- What these find is shown by aggregate, then by `place` in it, then by `rank`.
CREATE OR REPLACE FUNCTION _evercore_log_faults() RETURNS TABLE (aggregate_id bigint, "position" bigint, place bigint, rank integer, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT g.aggregate_id, NULL::bigint, g.place, 1, g.problem FROM _evercore_gaps() g
  UNION ALL
  SELECT e.aggregate_id, e.position, e.sequence, 1, format('sequence %s is at or below the base', e.sequence)
    FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id WHERE e.sequence <= a.base
  UNION ALL
  SELECT DISTINCT NULL::bigint, NULL::bigint, a.type_id::bigint, 1, format('aggregate type %s is missing', a.type_id)
    FROM evercore_aggregate a WHERE NOT EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.type_id = a.type_id)
  UNION ALL
  SELECT DISTINCT e.aggregate_id, NULL::bigint, NULL::bigint, 1, format('aggregate %s is missing', e.aggregate_id)
    FROM evercore_event e WHERE NOT EXISTS (SELECT FROM evercore_aggregate a WHERE a.aggregate_id = e.aggregate_id)
  UNION ALL
  SELECT o.aggregate_id, o.position, o.sequence, 2, format('position is not above that of sequence %s', o.previous)
    FROM (SELECT e.aggregate_id, e.position, e.sequence,
                 lag(e.sequence) OVER w AS previous, lag(e.position) OVER w AS previous_position
            FROM evercore_event e WINDOW w AS (PARTITION BY e.aggregate_id ORDER BY e.sequence)) o
   WHERE o.position <= o.previous_position
  UNION ALL
  -- The next append would meet the sequence of an event that is there.
  SELECT e.aggregate_id, e.position, e.sequence, 2, format('the aggregate is at sequence %s, below this event''s %s', a.sequence, e.sequence)
    FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id WHERE e.sequence > a.sequence
  UNION ALL
  SELECT e.aggregate_id, e.position, e.sequence, 3, 'payload: ' || f.fault
    FROM evercore_event e, LATERAL (SELECT _evercore_payload_fault(e.data::text) AS fault) f WHERE f.fault IS NOT NULL
  UNION ALL
  SELECT e.aggregate_id, e.position, e.sequence, 4, 'metadata: ' || f.fault
    FROM evercore_event e, LATERAL (SELECT _evercore_payload_fault(e.metadata::text) AS fault) f
   WHERE e.metadata IS NOT NULL AND f.fault IS NOT NULL
  UNION ALL
  SELECT t.aggregate_id, t.position, t.sequence, 4, t.problem FROM _evercore_check_tags() t;
END $$;
COMMENT ON FUNCTION _evercore_log_faults() IS 'What is wrong with events and their tags.';

CREATE OR REPLACE FUNCTION _evercore_snapshot_faults() RETURNS TABLE (aggregate_id bigint, "position" bigint, place bigint, rank integer, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT s.aggregate_id, (SELECT e.position FROM evercore_event e WHERE e.aggregate_id = s.aggregate_id AND e.sequence = s.sequence), s.sequence, 5,
         format('engine snapshot at sequence %s differs from the fold', s.sequence)
    FROM evercore_snapshot s JOIN evercore_aggregate a ON a.aggregate_id = s.aggregate_id
   WHERE s.version IS NULL AND s.sequence >= a.base
     AND (s.sequence > a.sequence OR NOT _evercore_is_folded(s.state, a.aggregate_id, a.base, s.sequence))
  UNION ALL
  SELECT DISTINCT s.aggregate_id, NULL::bigint, s.sequence, 5, format('application snapshot at sequence %s is beyond the newest event', s.sequence)
    FROM evercore_snapshot s JOIN evercore_aggregate a ON a.aggregate_id = s.aggregate_id
   WHERE s.version IS NOT NULL AND NOT a.erased AND s.sequence > a.sequence
  UNION ALL
  SELECT k.aggregate_id, (SELECT e.position FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
                           WHERE e.aggregate_id = k.aggregate_id AND e.sequence = k.sequence AND NOT a.erased), k.sequence, 5, k.problem
    FROM _evercore_check_kept_states() k
  UNION ALL
  SELECT a.aggregate_id, NULL, a.base, 6, format('base snapshot at sequence %s is missing', a.base)
    FROM evercore_aggregate a
   WHERE a.base > 0 AND NOT a.erased
     AND NOT EXISTS (SELECT FROM evercore_snapshot s WHERE s.aggregate_id = a.aggregate_id AND s.version IS NULL AND s.sequence = a.base);
END $$;
COMMENT ON FUNCTION _evercore_snapshot_faults() IS 'What is wrong with snapshots and kept states.';

CREATE OR REPLACE FUNCTION _evercore_compaction_faults() RETURNS TABLE (aggregate_id bigint, "position" bigint, place bigint, rank integer, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT i.aggregate_id, i.position, i.sequence, 6, CASE WHEN a.erased THEN 'the digest of an event_id is left of an erased aggregate'
                                                         ELSE 'the digest of an event_id is missing or damaged' END
    FROM evercore_event_id i JOIN evercore_aggregate a ON a.aggregate_id = i.aggregate_id
   WHERE CASE WHEN a.erased THEN i.digest IS NOT NULL ELSE octet_length(i.digest) IS DISTINCT FROM 32 END
  UNION ALL
  SELECT a.aggregate_id, NULL, a.base, 6, 'what was compacted of it is not known'
    FROM evercore_aggregate a
   WHERE a.base > 0 AND NOT EXISTS (SELECT FROM evercore_compacted_type c WHERE c.aggregate_id = a.aggregate_id AND c.position >= a.base_position)
  UNION ALL
  SELECT DISTINCT c.aggregate_id, NULL::bigint, NULL::bigint, 6,
         CASE WHEN a.aggregate_id IS NULL THEN 'no such aggregate, and rows of evercore_compacted_type' ELSE 'what was compacted of it is damaged' END
    FROM evercore_compacted_type c LEFT JOIN evercore_aggregate a ON a.aggregate_id = c.aggregate_id
   WHERE a.aggregate_id IS NULL OR a.base = 0 OR c.position < 0
  UNION ALL
  SELECT DISTINCT c.aggregate_id, NULL::bigint, NULL::bigint, 6, 'what was compacted of it is beyond the head'
    FROM evercore_compacted_type c WHERE c.position > @last_position@;
END $$;
COMMENT ON FUNCTION _evercore_compaction_faults() IS 'What is wrong with what compaction and erasure left.';

CREATE OR REPLACE FUNCTION _evercore_declaration_faults() RETURNS TABLE (aggregate_id bigint, "position" bigint, place bigint, rank integer, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT NULL::bigint, NULL::bigint, NULL::bigint, 8, format('rules of "%s" are damaged', r.name) FROM _evercore_damaged_rules() AS r (name)
  UNION ALL
  SELECT NULL, NULL, NULL, 8, format('upcast of "%s" is damaged', k.name) FROM evercore_event_type k
   WHERE _evercore_stored_upcast_fault(k.upcast, k.upcast_steps) IS NOT NULL
  UNION ALL
  SELECT NULL, NULL, NULL, 8, 'evercore_schema is empty' WHERE NOT EXISTS (SELECT FROM evercore_schema)
  UNION ALL
  SELECT NULL, NULL, NULL, 8, format('schema of "%s" is damaged', k.name) FROM evercore_event_type k
   WHERE CASE WHEN k.schema IS NULL THEN k.schema_path IS NOT NULL ELSE _evercore_stored_schema_fault(k.schema, k.schema_path) IS NOT NULL END
  UNION ALL
  SELECT NULL, NULL, NULL, 8, format('schema of aggregate type "%s" is damaged', t.name) FROM evercore_aggregate_type t
   WHERE CASE WHEN t.schema IS NULL THEN t.schema_path IS NOT NULL ELSE _evercore_stored_schema_fault(t.schema, t.schema_path) IS NOT NULL END;
END $$;
COMMENT ON FUNCTION _evercore_declaration_faults() IS 'What is wrong with what types declare, and whether the store says its version.';

-- A snapshot at the base cannot be compared with events that are gone: it only has to be readable.
CREATE OR REPLACE FUNCTION _evercore_is_folded(state json, id bigint, base bigint, upto bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  given jsonb := _evercore_kept_state(state);
BEGIN
  IF jsonb_typeof(given) IS DISTINCT FROM 'object' THEN RETURN false; END IF;
  RETURN given = _evercore_fold_range(id, base, upto, coalesce(
           (SELECT _evercore_kept_state(b.state) FROM evercore_snapshot b
             WHERE b.aggregate_id = id AND b.version IS NULL AND b.sequence = base AND base > 0), '{}'), false);
EXCEPTION WHEN data_exception OR statement_too_complex THEN
  RETURN false;
END $$;
COMMENT ON FUNCTION _evercore_is_folded(json, bigint, bigint, bigint) IS 'Whether a state is that of an aggregate''s events after its base.';

CREATE OR REPLACE FUNCTION _evercore_gaps() RETURNS TABLE (aggregate_id bigint, place bigint, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT g.aggregate_id, g.previous + 1,
         CASE WHEN g.sequence = g.previous + 2 THEN format('sequence %s is missing', g.previous + 1)
              ELSE format('sequences %s to %s are missing', g.previous + 1, g.sequence - 1) END
    FROM (SELECT e.aggregate_id, e.sequence, lag(e.sequence, 1, a.base) OVER (PARTITION BY e.aggregate_id ORDER BY e.sequence) AS previous
            FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id WHERE e.sequence > a.base
          UNION ALL
          SELECT a.aggregate_id, a.sequence + 1,
                 coalesce((SELECT max(e.sequence) FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id AND e.sequence > a.base), a.base)
            FROM evercore_aggregate a) g
   WHERE g.sequence > g.previous + 1
$$;
COMMENT ON FUNCTION _evercore_gaps() IS 'Sequences that should be there and are not: each hole once.';
