-- Many events in one call: evercore_append_many, the INSERT form, and one event with an event_id.
-- All three become arrays: some with an element an append (an aggregate with its expected version), and one with an element an event, whose
-- type is _evercore_new_event of the migrations. The functions are there before it is, and so take any array.

-- Plans are made once: with arrays of a known length the planner would make one at each call, which takes longer than to run
-- it. What these functions call inherits that, and that there are no merge joins.
--
-- A kept plan outlives what it was made for: a store that was empty, or never analyzed. So rows of tables are looked up one by one,
-- by scalar subqueries or nested loops, and no function here may scan a table whatever it believes of its size.

-- Writes events; the caller has checked them. Gives for each append its aggregate, the sequence and position of its last event, the
-- position of its first new event (its first event where none is new), and whether none is new.
CREATE OR REPLACE FUNCTION _evercore_append_rows(ids bigint[], types text[], keys text[], expects bigint[], skips boolean[], events anyarray,
                                                 condition jsonb, "after" bigint)
RETURNS TABLE (append integer, aggregate_id bigint, sequence bigint, "position" bigint, first_position bigint, repeated boolean)
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  amount integer := cardinality(events);
  in_rows boolean := skips IS NULL AND amount > 1;     -- of the INSERT form: a fault names its row
  identified boolean;
  tagged boolean;
  derived boolean := false;
  named bigint[] := ids;
  versions bigint[];
  befores bigint[];
  counts bigint[];
  places bigint[];
  repeats boolean[];
  last_repeats text[];    -- of each append the event_id of its last event, where that is a repeat
  first_repeats text[];   -- and that of its first event, where all are
BEGIN
  SELECT coalesce(bool_or(u.event_id IS NOT NULL), false), bool_or(u.tags IS NOT NULL) INTO identified, tagged FROM unnest(events) AS u;
  PERFORM _evercore_name(u.event_type, 'event_type', @max_name@) FROM unnest(events) AS u
    WHERE (char_length(u.event_type) BETWEEN 1 AND @max_name@) IS NOT TRUE;
  @enter@
  IF array_position(ids, NULL) IS NOT NULL THEN ids := _evercore_resolve(ids, types, keys, in_rows); END IF;

  versions := _evercore_lock_aggregates(ids, named, in_rows);
  IF versions IS NULL THEN
    RETURN QUERY SELECT r.* FROM _evercore_append_rows(named, types, keys, expects, skips, events, condition, _evercore_append_rows."after") r;
    RETURN;
  END IF;
  IF identified THEN repeats := _evercore_repeats(ids, events, skips); END IF;
  IF repeats IS NOT NULL THEN
    SELECT array_agg(l.last_id ORDER BY l.append), array_agg(l.first_id ORDER BY l.append) INTO last_repeats, first_repeats
      FROM (SELECT u.append, (array_agg(CASE WHEN repeats[u.ordinality] THEN u.event_id END ORDER BY u.ordinality DESC))[1] AS last_id,
                   CASE WHEN bool_and(repeats[u.ordinality]) THEN (array_agg(u.event_id ORDER BY u.ordinality))[1] END AS first_id
              FROM unnest(events) WITH ORDINALITY AS u GROUP BY u.append) l;
    IF true = ALL (repeats) THEN RETURN QUERY SELECT r.* FROM _evercore_repeated(last_repeats, first_repeats, '{}', '{}') r; RETURN; END IF;
    -- An append's expected version is that before its first new event; the repeats before it count. Only then are they left out.
    SELECT array_agg(CASE WHEN f.first_new IS NOT NULL THEN x.expected + f.first_new - f.first_event END ORDER BY x.no) INTO expects
      FROM unnest(expects) WITH ORDINALITY AS x (expected, no)
      JOIN (SELECT u.append, min(u.ordinality) AS first_event, min(u.ordinality) FILTER (WHERE NOT repeats[u.ordinality]) AS first_new
              FROM unnest(events) WITH ORDINALITY AS u GROUP BY u.append) f ON f.append = x.no;
    SELECT array_agg(@new_event(u.append; u.event_type; u.data; u.reference; u.metadata; u.happened; u.event_id; u.tags; u.declared_tags)@ ORDER BY u.ordinality), count(*)
      INTO events, amount FROM unnest(events) WITH ORDINALITY AS u WHERE NOT repeats[u.ordinality];
  END IF;
  SELECT array_agg(u.amount ORDER BY u.no) INTO counts
    FROM (SELECT a.no, count(e.append) AS amount FROM generate_series(1, cardinality(ids)) AS a (no)
            LEFT JOIN unnest(events) AS e ON e.append = a.no GROUP BY a.no) u;

  IF tagged OR condition IS NOT NULL OR @look_for_declared@ THEN
    IF @look_for_tags@ THEN
      events := _evercore_add_declared(events);
      SELECT bool_or(u.tags IS NOT NULL), bool_or(u.declared_tags IS NOT NULL) INTO tagged, derived FROM unnest(events) AS u;
    END IF;
    PERFORM _evercore_hold_keys(ARRAY(SELECT e.event_type FROM unnest(events) AS e), ARRAY(SELECT t FROM unnest(events) AS e, unnest(e.tags) AS t), condition, false);
  END IF;
  befores := _evercore_advance(ids, versions, counts, expects, in_rows);
  IF derived THEN PERFORM _evercore_check_bears(e.tags, _evercore_row(e.ordinality, in_rows), NULL) FROM unnest(events) WITH ORDINALITY AS e; END IF;
  IF condition IS NOT NULL THEN PERFORM _evercore_check_condition(condition, _evercore_append_rows."after"); END IF;
  IF @look_for_tags@ THEN PERFORM _evercore_check_events_data(events, in_rows); END IF;
  places := _evercore_draw(amount);
  IF identified THEN
    PERFORM _evercore_write_identified(ids, befores, events, places, in_rows);
  ELSE
    PERFORM _evercore_write(ids, befores, events, places);
  END IF;
  IF tagged THEN
    INSERT INTO evercore_event_tag SELECT t, u.event_type, places[u.ordinality] FROM unnest(events) WITH ORDINALITY AS u, unnest(u.tags) AS t;
    GET DIAGNOSTICS amount = ROW_COUNT;
    IF amount <> (SELECT sum(cardinality(u.tags)) FROM unnest(events) AS u) THEN PERFORM _evercore_refuse_tags(); END IF;
  END IF;

  @check_states(in_rows)@
  @follow_policies@
  RETURN QUERY SELECT u.append, ids[u.append], befores[u.append] + counts[u.append], max(u.place),
                      CASE WHEN max(u.place) - min(u.place) < count(*) THEN min(u.place) END, false
    FROM (SELECT e.append, places[e.ordinality] AS place FROM unnest(events) WITH ORDINALITY AS e) u
   WHERE last_repeats[u.append] IS NULL GROUP BY u.append ORDER BY u.append;
  IF last_repeats IS NOT NULL THEN
    RETURN QUERY SELECT r.* FROM _evercore_repeated(last_repeats, first_repeats, ARRAY(SELECT e.append FROM unnest(events) AS e), places) r;
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_append_rows(bigint[], text[], text[], bigint[], boolean[], anyarray, jsonb, bigint) IS 'Appends checked events given as arrays.';

-- Locks aggregates in the order of their ids; EV002 for one that is not there or was erased. `named`: those that the call names by id,
-- NULL where it names a key. That one may have been erased while its row was waited for; then the key is free, and is to be looked up
-- again: NULL where it was the only aggregate. Where there are others, they are locked by now, and no key may be waited for: 40001.
CREATE OR REPLACE FUNCTION _evercore_lock_aggregates(ids bigint[], named bigint[], in_rows boolean) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off SET enable_nestloop = off AS $$
DECLARE
  versions bigint[];
  place integer;
BEGIN
  WITH locked AS MATERIALIZED (
    SELECT a.aggregate_id, a.sequence FROM evercore_aggregate a
     WHERE a.aggregate_id = ANY (ARRAY(SELECT DISTINCT x FROM unnest(ids) x)) AND NOT a.erased
     ORDER BY a.aggregate_id FOR NO KEY UPDATE
  )
  SELECT array_agg(l.sequence ORDER BY u.no) INTO versions
    FROM unnest(ids) WITH ORDINALITY AS u (id, no) LEFT JOIN locked l ON l.aggregate_id = u.id;
  place := array_position(versions, NULL);
  IF place IS NOT NULL THEN
    IF named[place] IS NULL AND EXISTS (SELECT FROM evercore_aggregate a WHERE a.aggregate_id = ids[place] AND a.erased) THEN
      IF ids[place] = ALL (ids) THEN RETURN NULL; END IF;
      RAISE EXCEPTION 'a natural key was erased while its aggregate was waited for: try again' USING ERRCODE = '40001';
    END IF;
    BEGIN
      PERFORM _evercore_known(ids[place], true);
    EXCEPTION WHEN SQLSTATE 'EV002' THEN
      RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM || _evercore_row(place, in_rows);
    END;
  END IF;
  RETURN versions;
END $$;
COMMENT ON FUNCTION _evercore_lock_aggregates(bigint[], bigint[], boolean) IS 'Locks aggregates to append to them; gives the version of each.';

-- Counts the versions of locked aggregates up, and takes the floor: positions may be drawn after this. One aggregate may
-- stand in several appends of a call.
CREATE OR REPLACE FUNCTION _evercore_advance(ids bigint[], versions bigint[], counts bigint[], expects bigint[], in_rows boolean) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  befores bigint[];
  counted bigint;
  held boolean;
BEGIN
  SELECT array_agg(b.version_before ORDER BY b.no) INTO befores
    FROM (SELECT u.no, u.version + sum(u.amount) OVER (PARTITION BY u.id ORDER BY u.no) - u.amount AS version_before
            FROM unnest(ids, versions, counts) WITH ORDINALITY AS u (id, version, amount, no)) b;
  PERFORM _evercore_refuse('EV001', format('conflict: aggregate %s is at sequence %s, expected %s', ids[u.no], befores[u.no], u.expected)
                                    || _evercore_row(u.no, in_rows)) FROM unnest(expects) WITH ORDINALITY AS u (expected, no)
    WHERE u.expected <> befores[u.no] ORDER BY u.no LIMIT 1;
  UPDATE evercore_aggregate a SET sequence = g.reached
    FROM (SELECT u.id, max(u.version_before + u.amount) AS reached FROM unnest(ids, befores, counts) AS u (id, version_before, amount) GROUP BY u.id) g
   WHERE a.aggregate_id = g.id;
  GET DIAGNOSTICS counted = ROW_COUNT;
  IF counted <> cardinality(ids) OR counted > 1 THEN PERFORM _evercore_counted(counted, (SELECT count(DISTINCT u) FROM unnest(ids) u)); END IF;
  held := _evercore_hold_floor();
  RETURN befores;
END $$;
COMMENT ON FUNCTION _evercore_advance(bigint[], bigint[], bigint[], bigint[], boolean)
  IS 'The version before each append, now that its aggregate counts it; EV001.';

CREATE OR REPLACE FUNCTION _evercore_write(ids bigint[], befores bigint[], events anyarray, places bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  written bigint;
BEGIN
  @insert_events@
   ORDER BY u.event_id, u.ordinality;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(events) THEN PERFORM _evercore_written(written, cardinality(events)); END IF;
END $$;
COMMENT ON FUNCTION _evercore_write(bigint[], bigint[], anyarray, bigint[]) IS 'Inserts events at the positions given.';

-- Rows go in by event_id, so that two calls which race for several ids wait for each other in one order; positions are drawn before.
-- An id that another call took meanwhile is found by counting rows: an exception block would cost a subtransaction in each call.
CREATE OR REPLACE FUNCTION _evercore_write_identified(ids bigint[], befores bigint[], events anyarray, places bigint[], in_rows boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  event_ids text[] := ARRAY(SELECT e.event_id FROM unnest(events) AS e);
  written integer;
  taken text;
BEGIN
  @insert_events@
   ORDER BY u.event_id, u.ordinality
      ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN PERFORM _evercore_fail_where_taken(event_ids); END IF;
  -- The aggregates are locked and the ids were looked up after that: whoever has one now wrote to another aggregate. It may have been
  -- compacted since.
  IF written = cardinality(events) THEN
    SELECT i.event_id INTO taken FROM evercore_event_id i WHERE i.event_id = ANY (event_ids) LIMIT 1;
  ELSE
    SELECT k.event_id INTO taken FROM _evercore_event_ids(event_ids) k WHERE k.position <> ALL (places) LIMIT 1;
  END IF;
  IF taken IS NOT NULL THEN
    PERFORM _evercore_refuse('EV007', format('event_id "%s" exists with other content', taken) || _evercore_row(array_position(event_ids, taken), in_rows));
  END IF;
  PERFORM _evercore_written(written, cardinality(events));
END $$;
COMMENT ON FUNCTION _evercore_write_identified(bigint[], bigint[], anyarray, bigint[], boolean)
  IS 'Inserts events with event ids; EV007 where another call took one meanwhile.';

-- Outside READ COMMITTED the event id of an event that was compacted since the snapshot is not seen, but its index has it: 40001.
CREATE OR REPLACE FUNCTION _evercore_fail_where_taken(event_ids text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO evercore_event_id (event_id, aggregate_id, sequence, position, event_type)
  SELECT DISTINCT u.event_id, 0, 0, 0, '' FROM unnest(event_ids) AS u (event_id) WHERE u.event_id IS NOT NULL ORDER BY 1 ON CONFLICT DO NOTHING;
  DELETE FROM evercore_event_id i WHERE i.event_id = ANY (event_ids) AND i.aggregate_id = 0;
END $$;
COMMENT ON FUNCTION _evercore_fail_where_taken(text[]) IS '40001 where an event id was taken by what this transaction cannot see.';

-- Where known ids stand: in the log, or among those that were compacted.
CREATE OR REPLACE FUNCTION _evercore_event_ids(wanted text[])
RETURNS TABLE (event_id text, aggregate_id bigint, sequence bigint, "position" bigint, event_type text, data json, digest bytea, compacted boolean)
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off AS $$
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

-- Answers for appends that end with a repeat, from their event ids and the places of the new events.
CREATE OR REPLACE FUNCTION _evercore_repeated(lasts text[], firsts text[], owners integer[], places bigint[])
RETURNS TABLE (append integer, aggregate_id bigint, sequence bigint, "position" bigint, first_position bigint, repeated boolean)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT u.owner::integer, k.aggregate_id, k.sequence, k.position, coalesce(f.position, n.place), f.event_id IS NOT NULL
    FROM unnest(lasts, firsts) WITH ORDINALITY AS u (last_id, first_id, owner)
    JOIN _evercore_event_ids(lasts) k ON k.event_id = u.last_id
    LEFT JOIN _evercore_event_ids(firsts) f ON f.event_id = u.first_id
    LEFT JOIN (SELECT p.owner, CASE WHEN max(p.place) - min(p.place) < count(*) THEN min(p.place) END AS place
                 FROM unnest(owners, places) AS p (owner, place) GROUP BY p.owner) n ON n.owner = u.owner
   ORDER BY u.owner;
END $$;
COMMENT ON FUNCTION _evercore_repeated(text[], text[], integer[], bigint[]) IS 'The answer for appends that ended with a repeat.';

-- Positions for the events of one call, one after the other. Others draw meanwhile: then those that were drawn are left, as after a
-- rollback, and it is tried anew, one call at a time: under a lock that only the owner could take besides, for which nobody waits
-- long. It ends with the subtransaction, whatever becomes of the call. Where it is not to be had, or single appends do not leave
-- off for so long, it does without in the end: their first_position is NULL then.
CREATE OR REPLACE FUNCTION _evercore_draw(amount bigint) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  places bigint[];
BEGIN
  places := CASE amount WHEN 1 THEN ARRAY[nextval('@extschema@.evercore_event_position_seq'::regclass)]
                 ELSE ARRAY(SELECT nextval('@extschema@.evercore_event_position_seq'::regclass) FROM generate_series(1, amount)) END;
  IF places[amount] >> 3 > (places[1] - 1) >> 3 THEN
    PERFORM setval('@extschema@._evercore_highest'::regclass, greatest(places[amount], @highest@) | @flags@);
  END IF;
  IF places[amount] - places[1] = amount - 1 THEN RETURN places; END IF;
  BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    LOCK TABLE _evercore_declared IN SHARE UPDATE EXCLUSIVE MODE;
    FOR i IN 1 .. 50 LOOP
      places := ARRAY(SELECT nextval('@extschema@.evercore_event_position_seq'::regclass) FROM generate_series(1, amount));
      EXIT WHEN places[amount] - places[1] = amount - 1;
    END LOOP;
    RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
  EXCEPTION WHEN SQLSTATE 'EV999' OR lock_not_available THEN
    NULL;
  END;
  PERFORM setval('@extschema@._evercore_highest'::regclass, greatest(places[amount], @highest@) | @flags@);
  RETURN places;
END $$;
COMMENT ON FUNCTION _evercore_draw(bigint) IS 'So many positions without a gap between them.';

-- Which events were appended before, or stand in the call before: NULL where none was. EV007 where one has other content, and for a
-- mixture with new events, but for appends that skip their repeats.
CREATE OR REPLACE FUNCTION _evercore_repeats(ids bigint[], events anyarray, skips boolean[]) RETURNS boolean[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  repeat record;
  in_rows boolean := skips IS NULL AND cardinality(events) > 1;
  repeats boolean[] := array_fill(false, ARRAY[cardinality(events)]);
  event_ids text[] := ARRAY(SELECT e.event_id FROM unnest(events) AS e WHERE e.event_id IS NOT NULL);
  amount integer := 0;
  mixed text;             -- the first repeat that is not skipped, and its place
  place bigint;
BEGIN
  FOR repeat IN
    SELECT u.ordinality AS no, u.append, u.event_id,
           CASE WHEN k.event_id IS NULL
                THEN ids[events[u.first].append] = ids[u.append] AND events[u.first].event_type = u.event_type AND events[u.first].data = u.data
                ELSE k.aggregate_id = ids[u.append] AND k.event_type = u.event_type
                     AND CASE WHEN k.compacted THEN k.digest = sha256(convert_to(u.data, 'UTF8')) ELSE k.data::text = u.data END END AS same
      FROM (SELECT e.*, min(e.ordinality) OVER (PARTITION BY e.event_id) AS first
              FROM unnest(events) WITH ORDINALITY AS e WHERE e.event_id IS NOT NULL) u
      LEFT JOIN _evercore_event_ids(event_ids) k ON k.event_id = u.event_id
     WHERE k.event_id IS NOT NULL OR u.first < u.ordinality
     ORDER BY u.ordinality LOOP
    IF repeat.same IS NOT TRUE THEN
      PERFORM _evercore_refuse('EV007', format('event_id "%s" exists with other content', repeat.event_id) || _evercore_row(repeat.no, in_rows));
    END IF;
    repeats[repeat.no] := true;
    amount := amount + 1;
    IF skips[repeat.append] IS NOT TRUE AND mixed IS NULL THEN
      mixed := repeat.event_id;
      place := repeat.no;
    END IF;
  END LOOP;
  IF mixed IS NOT NULL AND amount < cardinality(events) THEN
    PERFORM _evercore_refuse('EV007', format('event_id "%s" exists: one call cannot mix repeats and new events', mixed)
                                      || _evercore_row(greatest(place, array_position(repeats, false)), in_rows));
  END IF;
  RETURN CASE WHEN amount > 0 THEN repeats END;
END $$;
COMMENT ON FUNCTION _evercore_repeats(bigint[], anyarray, boolean[]) IS 'Which events are repeats, NULL where none is; EV007.';

-- Finds aggregates by type and key, making those that are missing: keys in sorted order, ids in the order of the call. An id that the
-- call itself gives out was not there before; only a row sees what the rows above it made.
CREATE OR REPLACE FUNCTION _evercore_resolve(ids bigint[], types text[], keys text[], in_rows boolean) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off AS $$
DECLARE
  found_ids bigint[];
  made boolean := false;
  unknown bigint[] := ARRAY(SELECT u.no FROM unnest(ids) WITH ORDINALITY AS u (id, no)
                             WHERE u.id IS NOT NULL AND (SELECT a.aggregate_id FROM evercore_aggregate a WHERE a.aggregate_id = u.id) IS NULL);
BEGIN
  LOOP
    SELECT array_agg(coalesce(u.id, (SELECT a.aggregate_id FROM evercore_aggregate a
                                      WHERE a.type_id = (SELECT t.type_id FROM evercore_aggregate_type t WHERE t.name = u.type) AND a.natural_key = u.key))
                     ORDER BY u.no) INTO found_ids
      FROM unnest(ids, types, keys) WITH ORDINALITY AS u (id, type, key, no);
    EXIT WHEN array_position(found_ids, NULL) IS NULL OR made;
    made := true;
    INSERT INTO evercore_aggregate_type (name)
    SELECT _evercore_name(u.type, 'aggregate_type', @max_name@) COLLATE "C"
      FROM (SELECT DISTINCT d.type FROM unnest(ids, types) AS d (id, type) WHERE d.id IS NULL) u
     WHERE (SELECT t.type_id FROM evercore_aggregate_type t WHERE t.name = u.type) IS NULL ORDER BY 1 ON CONFLICT DO NOTHING;
    WITH named AS MATERIALIZED (
      SELECT (SELECT t.type_id FROM evercore_aggregate_type t WHERE t.name = u.type) AS type_id, u.type, u.key, u.no
        FROM unnest(ids, types, keys) WITH ORDINALITY AS u (id, type, key, no) WHERE u.id IS NULL
    ), missing AS MATERIALIZED (
      SELECT n.type_id, n.type, n.key, min(n.no) AS no FROM named n
       WHERE n.type_id IS NOT NULL AND (SELECT a.aggregate_id FROM evercore_aggregate a WHERE a.type_id = n.type_id AND a.natural_key = n.key) IS NULL
       GROUP BY 1, 2, 3 ORDER BY 4
    ), numbered AS MATERIALIZED (
      SELECT nextval(pg_get_serial_sequence('@extschema@.evercore_aggregate', 'aggregate_id')) AS id, m.* FROM missing m
    )
    INSERT INTO evercore_aggregate (aggregate_id, type_id, natural_key) OVERRIDING SYSTEM VALUE
    SELECT n.id, n.type_id, _evercore_name(n.key, 'natural_key', @max_name@) FROM numbered n
     ORDER BY n.type COLLATE "C", n.key COLLATE "C" ON CONFLICT DO NOTHING;
  END LOOP;
  IF array_position(found_ids, NULL) IS NOT NULL THEN
    IF _evercore_draw_ids() THEN RETURN _evercore_resolve(ids, types, keys, in_rows); END IF;
    RAISE EXCEPTION 'a natural key was renamed or erased while it was ensured: try again' USING ERRCODE = '40001';
  END IF;
  IF unknown <> '{}' THEN
    PERFORM _evercore_refuse('EV002', f.fault || _evercore_row(f.no, in_rows)) FROM (
      SELECT u.no, 'no aggregate ' || ids[u.no] AS fault FROM unnest(unknown) AS u (no)
       WHERE NOT in_rows OR array_position(found_ids[:u.no - 1], ids[u.no]) IS NULL
      UNION ALL
      SELECT u.no, format('aggregate %s was erased', u.id) FROM unnest(ids) WITH ORDINALITY AS u (id, no)
        JOIN evercore_aggregate a ON a.aggregate_id = u.id WHERE a.erased) f ORDER BY f.no LIMIT 1;
  END IF;
  RETURN found_ids;
END $$;
COMMENT ON FUNCTION _evercore_resolve(bigint[], text[], text[], boolean) IS 'Aggregate ids for types and keys, made where they are missing.';

-- The aggregate of a type and key, held, where it is there: as if one that is renamed meanwhile had been named just before. NULL for one that
-- is missing, or was erased while it was waited for: its key is free.
CREATE OR REPLACE FUNCTION _evercore_held_by_key(type text, key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off AS $$
DECLARE
  id bigint;
BEGIN
  @enter@
  SELECT a.aggregate_id INTO id FROM evercore_aggregate a
   WHERE a.aggregate_id = (SELECT k.aggregate_id FROM evercore_aggregate k
                            WHERE k.type_id = (SELECT t.type_id FROM evercore_aggregate_type t WHERE t.name = type COLLATE "C")
                              AND k.natural_key = key COLLATE "C")
     AND NOT a.erased FOR NO KEY UPDATE OF a;
  RETURN id;
END $$;
COMMENT ON FUNCTION _evercore_held_by_key(text, text) IS 'The aggregate of a type and key, locked; NULL where it is to be made.';
