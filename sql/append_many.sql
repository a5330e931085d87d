-- Many events in one call: evercore_append_many, the INSERT form, and one event with an event_id.
-- All three become arrays, one element an append (an aggregate with its expected version) and one an event.

-- Plans are made once: with arrays of a known length the planner would make one at each call, which takes longer than to run
-- it. What these functions call inherits that, and that there are no merge joins.

-- Writes events; the caller has checked them. Gives aggregate, last sequence and last position for each append.
CREATE OR REPLACE FUNCTION _evercore_append_rows(ids bigint[], types text[], keys text[], expects bigint[], owners integer[],
  kinds text[], datas text[], refs text[], metas text[], times timestamptz[], event_ids text[])
RETURNS TABLE (append integer, aggregate_id bigint, sequence bigint, "position" bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  amount integer := cardinality(owners);
  identified boolean := EXISTS (SELECT FROM unnest(event_ids) AS x WHERE x IS NOT NULL);
  versions bigint[];
  befores bigint[];
  counts bigint[];
  places bigint[];
BEGIN
  PERFORM _evercore_name(u, 'event_type', 64) FROM unnest(kinds) u WHERE (char_length(u) BETWEEN 1 AND 64) IS NOT TRUE;
  PERFORM _evercore_enter();
  IF array_position(ids, NULL) IS NOT NULL THEN ids := _evercore_resolve(ids, types, keys); END IF;

  SELECT array_agg(u.amount ORDER BY u.owner) INTO counts FROM (SELECT o AS owner, count(*) AS amount FROM unnest(owners) o GROUP BY o) u;
  versions := _evercore_lock_aggregates(ids);
  IF identified AND _evercore_are_repeats(ids, owners, kinds, datas, event_ids) THEN
    RETURN QUERY SELECT DISTINCT ON (u.owner) u.owner, k.aggregate_id, k.sequence, k.position
      FROM unnest(owners, event_ids) WITH ORDINALITY AS u (owner, event_id, no), _evercore_event_ids(ARRAY[u.event_id]) k
     ORDER BY u.owner, u.no DESC;
    RETURN;
  END IF;

  befores := _evercore_advance(ids, versions, counts, expects);
  SELECT array_agg(nextval('@extschema@.evercore_event_position_seq'::regclass)) INTO places FROM generate_series(1, amount);
  IF identified THEN
    PERFORM _evercore_write_identified(ids, owners, befores, kinds, datas, refs, metas, times, event_ids, places);
  ELSE
    PERFORM _evercore_write(ids, owners, befores, kinds, datas, refs, metas, times, event_ids, places);
  END IF;

  IF pg_sequence_last_value('@extschema@._evercore_policy'::regclass) IS NOT NULL THEN
    PERFORM _evercore_follow_policy(ids[u.no], u.before, u.before + counts[u.no]) FROM unnest(befores) WITH ORDINALITY AS u (before, no) ORDER BY u.no;
  END IF;
  RETURN QUERY SELECT u.owner, ids[u.owner], befores[u.owner] + counts[u.owner], max(u.place)
    FROM unnest(owners, places) AS u (owner, place) GROUP BY u.owner ORDER BY u.owner;
END $$;
COMMENT ON FUNCTION _evercore_append_rows(bigint[], text[], text[], bigint[], integer[], text[], text[], text[], text[], timestamptz[], text[])
  IS 'Appends checked events given as arrays.';

-- Locks aggregates in the order of their ids; EV002 for one that is not there or was erased.
CREATE OR REPLACE FUNCTION _evercore_lock_aggregates(ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  versions bigint[];
BEGIN
  WITH locked AS MATERIALIZED (
    SELECT a.aggregate_id, a.sequence FROM evercore_aggregate a
     WHERE a.aggregate_id = ANY (ARRAY(SELECT DISTINCT x FROM unnest(ids) x)) AND NOT a.erased
     ORDER BY a.aggregate_id FOR NO KEY UPDATE
  )
  SELECT array_agg(l.sequence ORDER BY u.no) INTO versions
    FROM unnest(ids) WITH ORDINALITY AS u (id, no) LEFT JOIN locked l ON l.aggregate_id = u.id;
  PERFORM _evercore_known(ids[array_position(versions, NULL)], true) WHERE array_position(versions, NULL) IS NOT NULL;
  RETURN versions;
END $$;
COMMENT ON FUNCTION _evercore_lock_aggregates(bigint[]) IS 'Locks aggregates to append to them; gives the version of each.';

-- Counts the versions of locked aggregates up, and takes the floor: positions may be drawn after this. One aggregate may
-- stand in several appends of a call.
CREATE OR REPLACE FUNCTION _evercore_advance(ids bigint[], versions bigint[], counts bigint[], expects bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  befores bigint[];
BEGIN
  SELECT array_agg(b.version_before ORDER BY b.no) INTO befores
    FROM (SELECT u.no, u.version + sum(u.amount) OVER (PARTITION BY u.id ORDER BY u.no) - u.amount AS version_before
            FROM unnest(ids, versions, counts) WITH ORDINALITY AS u (id, version, amount, no)) b;
  PERFORM _evercore_conflict(ids[u.no], befores[u.no], u.expected) FROM unnest(expects) WITH ORDINALITY AS u (expected, no)
    WHERE u.expected <> befores[u.no] ORDER BY u.no LIMIT 1;
  UPDATE evercore_aggregate a SET sequence = g.reached
    FROM (SELECT u.id, max(u.version_before + u.amount) AS reached FROM unnest(ids, befores, counts) AS u (id, version_before, amount) GROUP BY u.id) g
   WHERE a.aggregate_id = g.id;
  PERFORM _evercore_hold_floor();
  RETURN befores;
END $$;
COMMENT ON FUNCTION _evercore_advance(bigint[], bigint[], bigint[], bigint[]) IS 'The version before each append, now that its aggregate counts it; EV001.';

CREATE OR REPLACE FUNCTION _evercore_write(ids bigint[], owners integer[], befores bigint[], kinds text[], datas text[],
  refs text[], metas text[], times timestamptz[], event_ids text[], places bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  written bigint;
BEGIN
  INSERT INTO evercore_event (position, recorded_at, aggregate_id, sequence, event_type, data, event_time, reference, metadata, event_id) OVERRIDING SYSTEM VALUE
  SELECT u.place, moment, ids[u.owner], befores[u.owner] + row_number() OVER (PARTITION BY u.owner ORDER BY u.no), u.kind,
         u.data::json, u.happened, u.reference, u.metadata::json, u.event_id
    FROM unnest(owners, kinds, datas, refs, metas, times, event_ids, places) WITH ORDINALITY
           AS u (owner, kind, data, reference, metadata, happened, event_id, place, no)
   ORDER BY u.event_id, u.no;
  GET DIAGNOSTICS written = ROW_COUNT;
  PERFORM _evercore_written(written, cardinality(owners));
END $$;
COMMENT ON FUNCTION _evercore_write(bigint[], integer[], bigint[], text[], text[], text[], text[], timestamptz[], text[], bigint[])
  IS 'Inserts events at the positions given.';

-- Rows go in by event_id, so that two calls which race for several ids wait for each other in one order; positions are drawn before.
-- An id that another call takes meanwhile is counted, not caught: an exception block would be a subtransaction a call.
CREATE OR REPLACE FUNCTION _evercore_write_identified(ids bigint[], owners integer[], befores bigint[], kinds text[], datas text[],
  refs text[], metas text[], times timestamptz[], event_ids text[], places bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  written integer;
  taken text;
BEGIN
  INSERT INTO evercore_event (position, recorded_at, aggregate_id, sequence, event_type, data, event_time, reference, metadata, event_id) OVERRIDING SYSTEM VALUE
  SELECT u.place, moment, ids[u.owner], befores[u.owner] + row_number() OVER (PARTITION BY u.owner ORDER BY u.no), u.kind,
         u.data::json, u.happened, u.reference, u.metadata::json, u.event_id
    FROM unnest(owners, kinds, datas, refs, metas, times, event_ids, places) WITH ORDINALITY
           AS u (owner, kind, data, reference, metadata, happened, event_id, place, no)
   ORDER BY u.event_id, u.no
      ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  -- The aggregates are locked and the ids were looked up after that: whoever has one now wrote to another aggregate. It may have been
  -- compacted since.
  IF written = cardinality(owners) THEN
    SELECT i.event_id INTO taken FROM evercore_event_id i WHERE i.event_id = ANY (event_ids) LIMIT 1;
  ELSE
    SELECT k.event_id INTO taken FROM _evercore_event_ids(event_ids) k WHERE k.position <> ALL (places) LIMIT 1;
  END IF;
  IF taken IS NOT NULL THEN
    RAISE EXCEPTION 'EV007: event_id "%" exists with other content', taken USING ERRCODE = 'EV007';
  END IF;
  PERFORM _evercore_written(written, cardinality(owners));
END $$;
COMMENT ON FUNCTION _evercore_write_identified(bigint[], integer[], bigint[], text[], text[], text[], text[], timestamptz[], text[], bigint[])
  IS 'Inserts events with event ids; EV007 where another call took one meanwhile.';

-- Where known ids stand: in the log, or among those that were compacted.
CREATE OR REPLACE FUNCTION _evercore_event_ids(wanted text[])
RETURNS TABLE (event_id text, aggregate_id bigint, sequence bigint, "position" bigint, event_type text, data json, digest bytea, compacted boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT e.event_id, e.aggregate_id, e.sequence, e.position, e.event_type, e.data, NULL::bytea, false
    FROM evercore_event e WHERE e.event_id = ANY (wanted) AND e.event_id IS NOT NULL
  UNION ALL
  SELECT i.event_id, i.aggregate_id, i.sequence, i.position, i.event_type, NULL, i.digest, true
    FROM evercore_event_id i WHERE i.event_id = ANY (wanted);
END $$;
COMMENT ON FUNCTION _evercore_event_ids(text[]) IS 'The events that bear these event ids, compacted ones included.';

-- True where all events are repeats, false where none is; EV007 for anything between.
CREATE OR REPLACE FUNCTION _evercore_are_repeats(ids bigint[], owners integer[], kinds text[], datas text[], event_ids text[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  known record;
  repeats integer := 0;
  first_repeat text;
BEGIN
  FOR known IN
    SELECT u.event_id, (k.aggregate_id = ids[u.owner] AND k.event_type = u.kind
                        AND CASE WHEN k.compacted THEN k.digest = sha256(convert_to(u.data, 'UTF8')) ELSE k.data::text = u.data END) AS same
      FROM unnest(owners, kinds, datas, event_ids) WITH ORDINALITY AS u (owner, kind, data, event_id, no)
      JOIN _evercore_event_ids(event_ids) k ON k.event_id = u.event_id
     ORDER BY u.no LOOP
    IF known.same IS NOT TRUE THEN
      RAISE EXCEPTION 'EV007: event_id "%" exists with other content', known.event_id USING ERRCODE = 'EV007';
    END IF;
    repeats := repeats + 1;
    first_repeat := coalesce(first_repeat, known.event_id);
  END LOOP;
  IF repeats = 0 THEN
    SELECT u INTO first_repeat FROM unnest(event_ids) u WHERE u IS NOT NULL GROUP BY u HAVING count(*) > 1 LIMIT 1;
  ELSIF repeats = cardinality(owners) THEN
    RETURN true;
  END IF;
  IF first_repeat IS NOT NULL THEN
    RAISE EXCEPTION 'EV007: event_id "%" exists: one call cannot mix repeats and new events', first_repeat USING ERRCODE = 'EV007';
  END IF;
  RETURN false;
END $$;
COMMENT ON FUNCTION _evercore_are_repeats(bigint[], integer[], text[], text[], text[]) IS 'Whether all of these events were appended before; EV007 for a mixture.';

-- Finds aggregates by type and key, making those that are missing: keys in sorted order, ids in the order of the call.
CREATE OR REPLACE FUNCTION _evercore_resolve(ids bigint[], types text[], keys text[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  found_ids bigint[];
BEGIN
  INSERT INTO evercore_aggregate_type (name)
  SELECT DISTINCT _evercore_name(u.type, 'aggregate_type', 64) COLLATE "C" FROM unnest(ids, types) AS u (id, type)
   WHERE u.id IS NULL AND NOT EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.name = u.type) ORDER BY 1 ON CONFLICT DO NOTHING;
  WITH missing AS MATERIALIZED (
    SELECT t.type_id, t.name, u.key, min(u.no) AS no FROM unnest(ids, types, keys) WITH ORDINALITY AS u (id, type, key, no)
      JOIN evercore_aggregate_type t ON t.name = u.type
     WHERE u.id IS NULL AND NOT EXISTS (SELECT FROM evercore_aggregate a WHERE a.type_id = t.type_id AND a.natural_key = u.key)
     GROUP BY 1, 2, 3 ORDER BY 4
  ), numbered AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('@extschema@.evercore_aggregate', 'aggregate_id')) AS id, m.* FROM missing m
  )
  INSERT INTO evercore_aggregate (aggregate_id, type_id, natural_key) OVERRIDING SYSTEM VALUE
  SELECT n.id, n.type_id, _evercore_name(n.key, 'natural_key', 255) FROM numbered n ORDER BY n.name COLLATE "C", n.key COLLATE "C" ON CONFLICT DO NOTHING;
  SELECT array_agg(coalesce(u.id, a.aggregate_id) ORDER BY u.no) INTO found_ids
    FROM unnest(ids, types, keys) WITH ORDINALITY AS u (id, type, key, no)
    LEFT JOIN evercore_aggregate_type t ON t.name = u.type
    LEFT JOIN evercore_aggregate a ON a.type_id = t.type_id AND a.natural_key = u.key;
  IF array_position(found_ids, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a natural key was renamed or erased while it was ensured: try again' USING ERRCODE = '40001';
  END IF;
  RETURN found_ids;
END $$;
COMMENT ON FUNCTION _evercore_resolve(bigint[], text[], text[]) IS 'Aggregate ids for types and keys, made where they are missing.';
