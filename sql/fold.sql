-- Folding events into a state, in the engine. Merge is the server's own concatenation of jsonb once null members are left
-- out; merging is associative, so a state is its snapshot || the fold of what came after. Patches are applied many at once.

CREATE OR REPLACE AGGREGATE _evercore_merge(jsonb) (SFUNC = pg_catalog.jsonb_concat, STYPE = jsonb, INITCOND = '{}');
COMMENT ON AGGREGATE _evercore_merge(jsonb) IS 'Folds merge events whose null members were left out.';

-- The members of an object that are not null. Few objects have one, and a search for the word says which cannot.
CREATE OR REPLACE FUNCTION _evercore_members(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(data) m WHERE m.value <> 'null'
$$;
COMMENT ON FUNCTION _evercore_members(jsonb) IS 'An object without its null members.';

-- An object without some of its members. The server's operator compares each member with each key, which is the faster way only
-- for few keys.
CREATE OR REPLACE FUNCTION _evercore_without(object jsonb, keys text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF cardinality(keys) <= 100 THEN RETURN object - keys; END IF;
  RETURN (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(object) m
           WHERE NOT EXISTS (SELECT FROM unnest(keys) AS k (key) WHERE k.key = m.key));
END $$;
COMMENT ON FUNCTION _evercore_without(jsonb, text[]) IS 'An object without the members of these keys.';

-- JSON Merge Patch (RFC 7396). Each object of a patch takes a few kB of the server's stack, of which a session may have little:
-- `level` counts them, and what lies deeper is done without recursion.
CREATE OR REPLACE FUNCTION _evercore_merge_patch(target jsonb, patch jsonb, level integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  gone text[];
  given jsonb;
BEGIN
  IF level > 16 THEN RETURN _evercore_patch_deep(target, patch); END IF;
  IF jsonb_typeof(target) IS DISTINCT FROM 'object' THEN target := '{}'; END IF;
  SELECT array_agg(m.key) FILTER (WHERE m.type = 'null'),
         jsonb_object_agg(m.key, CASE m.type WHEN 'object' THEN _evercore_merge_patch(target->m.key, m.value, level + 1) ELSE m.value END)
           FILTER (WHERE m.type <> 'null')
    INTO gone, given FROM (SELECT e.key, e.value, jsonb_typeof(e.value) AS type FROM jsonb_each(patch) e) m;
  IF gone IS NOT NULL THEN target := _evercore_without(target, gone); END IF;
  RETURN target || coalesce(given, '{}');
END $$;
COMMENT ON FUNCTION _evercore_merge_patch(jsonb, jsonb, integer) IS 'Applies a JSON Merge Patch.';

-- Goes through the objects of the patch one after the other, outer before inner, and writes the result as text, piece by piece.
CREATE OR REPLACE FUNCTION _evercore_patch_deep(target jsonb, patch jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  waiting text[] := '{"{}"}';        -- the paths of the objects to come, the next at the end
  reached boolean[] := '{true}';     -- of each, whether the target has objects on the way to it
  amount integer := 1;
  path text[];
  place integer;                     -- how many objects stand around this one
  object jsonb;
  gone text[];
  given jsonb;
  inner_path text;
  inner_paths text[];
  own text;
  pieces text[] := '{}';
  opened integer := 0;
  filled boolean[] := '{}';          -- of each object that is open, whether it has a member so far
BEGIN
  WHILE amount > 0 LOOP
    path := waiting[amount];
    place := cardinality(path);
    object := CASE WHEN reached[amount] THEN target #> path END;
    amount := amount - 1;
    SELECT coalesce(array_agg(m.key) FILTER (WHERE m.type IN ('null', 'object')), '{}'),
           coalesce(jsonb_object_agg(m.key, m.value) FILTER (WHERE m.type NOT IN ('null', 'object')), '{}'),
           coalesce(array_agg((path || m.key)::text) FILTER (WHERE m.type = 'object'), '{}')
      INTO gone, given, inner_paths FROM (SELECT e.key, e.value, jsonb_typeof(e.value) AS type FROM jsonb_each(patch #> path) e) m;
    FOREACH inner_path IN ARRAY inner_paths LOOP
      amount := amount + 1;
      waiting[amount] := inner_path;
      reached[amount] := coalesce(jsonb_typeof(object) = 'object', false);
    END LOOP;
    own := (CASE WHEN jsonb_typeof(object) = 'object' THEN _evercore_without(object, gone) ELSE '{}' END || given)::text;
    pieces[cardinality(pieces) + 1] := repeat('}', opened - place)
      || CASE WHEN place > 0 THEN CASE WHEN filled[place] THEN ', ' ELSE '' END || to_json(path[place]) || ': ' ELSE '' END || left(own, -1);
    IF place > 0 THEN filled[place] := true; END IF;
    filled[place + 1] := own <> '{}';
    opened := place + 1;
  END LOOP;
  RETURN array_to_string(pieces, '') || repeat('}', opened);
END $$;
COMMENT ON FUNCTION _evercore_patch_deep(jsonb, jsonb) IS 'Applies a JSON Merge Patch without recursion.';

-- Applies many changes to an object at once, in their order: JSON Merge Patches, or merges where `whole` says so, whose members that
-- are not null replace the object's. What they leave as it is is copied once, however many they are.
--
-- All objects of a level are changed by one query. Of what befalls a member only the last value that replaces it counts, and the
-- patches after that; where there are such, the member is an object of the next level. At the end each object is put into the one
-- that holds it, inner before outer.
CREATE OR REPLACE FUNCTION _evercore_apply(target jsonb, changes jsonb[], whole boolean[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  objects jsonb[] := ARRAY[CASE WHEN jsonb_typeof(target) = 'object' THEN target ELSE '{}' END];  -- of one level
  places integer[] := array_fill(1, ARRAY[cardinality(changes)]);                                 -- of each change, which of them it changes
  done jsonb[] := '{}';         -- the objects of all levels
  holders integer[] := '{0}';   -- of each, which of them holds it
  names text[] := '{""}';       -- and as which member
  starts integer[] := '{}';     -- of each level, its first object
  above integer := 0;           -- how many objects the levels above have
  made jsonb[];
  made_holders integer[];
  made_names text[];
BEGIN
  WHILE changes <> '{}' LOOP
    WITH happened AS (
      SELECT c.place, m.key COLLATE "C" AS key, c.no, m.value,
             max(c.no) FILTER (WHERE c.whole OR jsonb_typeof(m.value) <> 'object') OVER (PARTITION BY c.place, m.key COLLATE "C") AS since
        FROM unnest(places, changes, whole) WITH ORDINALITY AS c (place, change, whole, no), jsonb_each(c.change) m
       WHERE c.whole IS NOT TRUE OR m.value <> 'null'
    ), member AS (
      SELECT h.place, h.key, bool_or(h.since IS NOT NULL) AS replaced, array_agg(h.value ORDER BY h.no) AS happened
        FROM happened h WHERE h.no >= h.since IS NOT FALSE GROUP BY h.place, h.key
    ), step AS MATERIALIZED (
      SELECT m.*, m.happened[1] AS value, s.settled, row_number() OVER (PARTITION BY s.settled) AS no
        FROM member m, LATERAL (
          SELECT CASE WHEN cardinality(m.happened) > 1 THEN false
                      WHEN m.replaced THEN true
                      ELSE jsonb_typeof(objects[m.place] -> m.key) IS DISTINCT FROM 'object' AND position('null' IN m.happened[1]::text) = 0
                 END AS settled) s
    )
    SELECT o.made, i.holders, i.names, i.objects, c.places, c.changes INTO made, made_holders, made_names, objects, places, changes
      FROM (SELECT array_agg(CASE WHEN s.place IS NULL THEN objects[p.place]
                                  ELSE _evercore_without(objects[p.place], coalesce(s.gone, '{}')) || coalesce(s.given, '{}') END ORDER BY p.place) AS made
              FROM generate_subscripts(objects, 1) AS p (place)
              LEFT JOIN (SELECT s.place, array_agg(s.key) FILTER (WHERE s.value = 'null') AS gone,
                                jsonb_object_agg(s.key, s.value) FILTER (WHERE s.value <> 'null') AS given
                           FROM step s WHERE s.settled GROUP BY s.place) s ON s.place = p.place) o,
           (SELECT array_agg(above + s.place ORDER BY s.no) AS holders, array_agg(s.key ORDER BY s.no) AS names,
                   array_agg(CASE WHEN jsonb_typeof(b.value) = 'object' THEN b.value ELSE '{}' END ORDER BY s.no) AS objects
              FROM step s, LATERAL (SELECT CASE WHEN s.replaced THEN s.value ELSE objects[s.place] -> s.key END AS value) b
             WHERE NOT s.settled) i,
           (SELECT array_agg(s.no ORDER BY s.no, v.no) AS places, array_agg(v.value ORDER BY s.no, v.no) AS changes
              FROM step s, unnest(s.happened) WITH ORDINALITY AS v (value, no)
             WHERE NOT s.settled AND v.no > s.replaced::integer) c;
    whole := NULL;
    starts := starts || (above + 1);
    done := done || made;
    holders := holders || made_holders;
    names := names || made_names;
    above := cardinality(done);
  END LOOP;
  FOR level IN REVERSE cardinality(starts) .. 2 LOOP
    SELECT array_agg(h.holder), array_agg(h.members) INTO made_holders, made
      FROM (SELECT holders[i] AS holder, jsonb_object_agg(names[i], done[i]) AS members FROM generate_series(starts[level], above) AS i GROUP BY 1) h;
    FOR i IN 1 .. cardinality(made) LOOP
      done[made_holders[i]] := done[made_holders[i]] || made[i];
    END LOOP;
    above := starts[level] - 1;
  END LOOP;
  RETURN coalesce(done[1], objects[1]);
END $$;
COMMENT ON FUNCTION _evercore_apply(jsonb, jsonb[], boolean[]) IS 'Applies many JSON Merge Patches and merges at once.';

CREATE OR REPLACE FUNCTION _evercore_fold_step(state jsonb, data jsonb, fold text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  CASE fold
    WHEN 'merge' THEN RETURN state || _evercore_members(data);
    WHEN 'patch' THEN RETURN _evercore_merge_patch(state, data, 1);
    ELSE RETURN state;
  END CASE;
END $$;
COMMENT ON FUNCTION _evercore_fold_step(jsonb, jsonb, text) IS 'The state after one more event.';

-- Documents from before the payload profile said what jsonb can hold: numbers beyond that fold as the doubles they are, and what
-- is no object folds as an empty one.
CREATE OR REPLACE FUNCTION _evercore_jsonb(document json) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN document::jsonb;
EXCEPTION WHEN numeric_value_out_of_range THEN
  IF json_typeof(document) <> 'object' THEN RETURN '{}'; END IF;
  RETURN (SELECT string_agg(CASE WHEN part[2] IS NULL THEN part[1] ELSE _evercore_double(part[2]) END, '' ORDER BY no)
            FROM regexp_matches(document::text, '(' || @string@ || '|[^"0-9-]+)|(-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?)', 'g')
                 WITH ORDINALITY AS pieces (part, no))::jsonb;
END $$;
COMMENT ON FUNCTION _evercore_jsonb(json) IS 'A document as jsonb, its numbers rounded where jsonb has no room for them.';

CREATE OR REPLACE FUNCTION _evercore_double(number text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE SET extra_float_digits = 1 AS $$
BEGIN
  PERFORM number::numeric;
  RETURN number;
EXCEPTION WHEN numeric_value_out_of_range THEN
  BEGIN
    RETURN number::double precision;
  EXCEPTION WHEN numeric_value_out_of_range THEN
    RETURN '0';  -- too small for a double
  END;
END $$;
COMMENT ON FUNCTION _evercore_double(text) IS 'The text of a number where jsonb can hold it, else of the double it is.';

-- Up to half of the smallest double is 0: the server refuses to round it.
CREATE OR REPLACE FUNCTION _evercore_read_double(number numeric) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN number <> 0 AND abs(number) <= 2.4703282292062327209e-324 THEN 0 ELSE number::double precision END;
END $$;
COMMENT ON FUNCTION _evercore_read_double(numeric) IS 'The double that a number reads to.';

-- A jsonb as a document within the payload profile: jsonb spells 1e19 as an integer, and no integer may be that large.
CREATE OR REPLACE FUNCTION _evercore_json_text(document jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF document::text !~ '[0-9]{19}' THEN RETURN document::text; END IF;
  RETURN (SELECT string_agg(coalesce(part[1], CASE WHEN part[2]::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807
                                                   THEN part[2] || '.0' END, part[2], part[3]), '' ORDER BY no)
            FROM regexp_matches(document::text, '(' || @string@ || ')|(-?[0-9]{19,}(?![.0-9]))|(-?[0-9]+(?:[.][0-9]+)?|[^"0-9-]+)', 'g')
                 WITH ORDINALITY AS pieces (part, no));
END $$;
COMMENT ON FUNCTION _evercore_json_text(jsonb) IS 'A jsonb as text within the payload profile.';

-- Where an aggregate has fewer events than its version and base promise: the sequences around the first gap.
CREATE OR REPLACE FUNCTION _evercore_missing(id bigint, "after" bigint) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  gap record;
BEGIN
  SELECT e.previous, e.sequence INTO gap
    FROM (SELECT x.sequence, lag(x.sequence, 1, "after") OVER (ORDER BY x.sequence) AS previous FROM evercore_event x
           WHERE x.aggregate_id = id AND x.sequence > "after"
          UNION ALL
          SELECT a.sequence + 1, greatest("after", (SELECT max(y.sequence) FROM evercore_event y WHERE y.aggregate_id = id))
            FROM evercore_aggregate a WHERE a.aggregate_id = id) e
   WHERE e.sequence > e.previous + 1 ORDER BY e.sequence LIMIT 1;
  RAISE EXCEPTION 'EV010: events of aggregate % are missing between sequences % and %: evercore_check() names the place', id, gap.previous, gap.sequence
    USING ERRCODE = 'EV010';
END $$;
COMMENT ON FUNCTION _evercore_missing(bigint, bigint) IS 'Raises EV010 for an aggregate that lacks events.';

-- Merges and patches one after the other, or many at once.
CREATE OR REPLACE FUNCTION _evercore_apply_all(state jsonb, changes jsonb[], whole boolean[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF cardinality(changes) > 8 THEN RETURN _evercore_apply(state, changes, whole); END IF;
  FOR i IN 1 .. cardinality(changes) LOOP
    state := _evercore_fold_step(state, changes[i], CASE WHEN whole[i] THEN 'merge' ELSE 'patch' END);
  END LOOP;
  RETURN state;
END $$;
COMMENT ON FUNCTION _evercore_apply_all(jsonb, jsonb[], boolean[]) IS 'Applies JSON Merge Patches and merges.';

-- Events of any kind, folded on top of a state. So many merges and patches are gathered that what they say is as long as the state, which
-- is copied once for all of them: so what is copied is in proportion to what is read. Rules go one by one.
CREATE OR REPLACE FUNCTION _evercore_fold_any(id bigint, "after" bigint, upto bigint, start jsonb, exact boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  state jsonb := start;
  event record;
  changes jsonb[] := '{}';
  whole boolean[] := '{}';
  amount integer := 0;
  gathered bigint := 0;
  types text[] COLLATE "C" := '{}';  -- whose rules are known, where their steps end, and these
  ends integer[] := '{0}';
  steps text[] := '{}';
  place integer;
BEGIN
  FOR event IN SELECT @upcast(CASE WHEN exact THEN e.data::jsonb ELSE _evercore_jsonb(e.data) END; k.upcast_steps)@ AS data,
                      coalesce(k.fold, 'merge') AS fold, e.event_type, e.sequence, e.reference, coalesce(e.event_time, e.recorded_at) AS happened
                 FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
                WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto AND k.fold IS DISTINCT FROM 'custom' ORDER BY e.sequence LOOP
    IF event.fold <> 'rules' THEN
      amount := amount + 1;
      changes[amount] := event.data;
      whole[amount] := event.fold = 'merge';
      gathered := gathered + pg_column_size(event.data);
      CONTINUE WHEN gathered <= greatest(1048576, pg_column_size(state));
    END IF;
    IF amount > 0 THEN
      state := _evercore_apply_all(state, changes, whole);
      changes := '{}';
      whole := '{}';
      amount := 0;
      gathered := 0;
    END IF;
    CONTINUE WHEN event.fold <> 'rules';
    @fold_by_rules(event.data)@
  END LOOP;
  RETURN CASE WHEN amount = 0 THEN state ELSE _evercore_apply_all(state, changes, whole) END;
END $$;
COMMENT ON FUNCTION _evercore_fold_any(bigint, bigint, bigint, jsonb, boolean) IS 'The state after some more events of any kind.';

-- Folds an aggregate's events in (after, upto] on top of a state. `whole`: EV010 where some of them are missing.
CREATE OR REPLACE FUNCTION _evercore_fold_range(id bigint, "after" bigint, upto bigint, start jsonb, whole boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  state jsonb;
  patched boolean;
  amount bigint;
BEGIN
  BEGIN
    IF upto - "after" <= 128 THEN
      SELECT start || _evercore_merge(CASE WHEN position('null' IN e.data::text) = 0 THEN e.data::jsonb ELSE _evercore_members(e.data::jsonb) END
                                      ORDER BY e.sequence) FILTER (WHERE coalesce(k.fold, 'merge') = 'merge'),
             bool_or(k.fold IN ('patch', 'rules') OR k.upcast_steps IS NOT NULL), count(*)
        INTO state, patched, amount
        FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
       WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto;
    ELSE
      -- Each step copies the state so far. Merging is associative: many events first become a few. Of many blocks the newest of each
      -- member is looked for instead, in two steps, since the first takes the memory of all that it reads.
      WITH block AS MATERIALIZED (
        SELECT e.sequence / CASE WHEN upto - "after" <= 512 THEN 16 ELSE 64 END AS no, count(*) AS amount,
               bool_or(k.fold IN ('patch', 'rules') OR k.upcast_steps IS NOT NULL) AS patched,
               _evercore_merge(CASE WHEN position('null' IN e.data::text) = 0 THEN e.data::jsonb ELSE _evercore_members(e.data::jsonb) END
                               ORDER BY e.sequence) FILTER (WHERE coalesce(k.fold, 'merge') = 'merge') AS merged
          FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
         WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto
         GROUP BY 1)
      SELECT start || CASE WHEN upto - "after" <= 4096 THEN (SELECT _evercore_merge(b.merged ORDER BY b.no) FILTER (WHERE b.merged IS NOT NULL) FROM block b)
                           ELSE (SELECT jsonb_object_agg(m.key, m.value ORDER BY s.no)
                                   FROM (SELECT b.no / 1024 AS no, jsonb_object_agg(m.key, m.value ORDER BY b.no) AS merged
                                           FROM block b, jsonb_each(b.merged) m GROUP BY 1) s, jsonb_each(s.merged) m) END,
             (SELECT bool_or(b.patched) FROM block b), (SELECT sum(b.amount) FROM block b)
        INTO state, patched, amount;
    END IF;
    IF patched THEN state := _evercore_fold_any(id, "after", upto, start, true); END IF;
  EXCEPTION WHEN numeric_value_out_of_range THEN
    state := _evercore_fold_any(id, "after", upto, start, false);
    SELECT count(*) INTO amount FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto;
  END;
  IF whole AND amount < upto - "after" THEN PERFORM _evercore_missing(id, "after"); END IF;
  RETURN coalesce(state, start);
END $$;
COMMENT ON FUNCTION _evercore_fold_range(bigint, bigint, bigint, jsonb, boolean) IS 'The state after some more of an aggregate''s events.';

-- The state at a sequence, from the newest engine snapshot at or below it. The caller knows that the sequence can be read.
CREATE OR REPLACE FUNCTION _evercore_state(id bigint, upto bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  base record;
BEGIN
  SELECT s.sequence, _evercore_jsonb(s.state) AS state INTO base FROM evercore_snapshot s
   WHERE s.aggregate_id = id AND s.version IS NULL AND s.sequence <= upto ORDER BY s.sequence DESC LIMIT 1;
  RETURN _evercore_fold_range(id, coalesce(base.sequence, 0), upto, coalesce(base.state, '{}'), true);
END $$;
COMMENT ON FUNCTION _evercore_state(bigint, bigint) IS 'The state at a sequence that can be read.';

CREATE OR REPLACE FUNCTION evercore_state(id bigint, at_sequence bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  aggregate record;
BEGIN
  PERFORM _evercore_known(id, false), _evercore_number(at_sequence, 'at_sequence', 0, NULL);
  SELECT a.sequence, a.base, a.erased INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = id;
  IF at_sequence > aggregate.sequence THEN
    RAISE EXCEPTION 'EV002: aggregate % has no sequence %: it is at %', id, at_sequence, aggregate.sequence USING ERRCODE = 'EV002';
  ELSIF at_sequence < aggregate.base THEN
    RAISE EXCEPTION 'EV002: sequence % of aggregate % was compacted: the oldest that can be read is %', at_sequence, id, aggregate.base
      USING ERRCODE = 'EV002';
  ELSIF aggregate.erased THEN
    RETURN '{}';
  END IF;
  RETURN _evercore_state(id, coalesce(at_sequence, aggregate.sequence));
END $$;
COMMENT ON FUNCTION evercore_state(bigint, bigint) IS 'An aggregate''s folded state, now or at a sequence.';

CREATE OR REPLACE FUNCTION _evercore_history_one_by_one(id bigint, first bigint, last bigint, start jsonb)
RETURNS TABLE (sequence bigint, event_type text, event_time timestamptz, reference text, data json, state jsonb)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
#variable_conflict use_column
DECLARE
  event record;
  types text[] COLLATE "C" := '{}';
  ends integer[] := '{0}';
  steps text[] := '{}';
  place integer;
BEGIN
  state := start;
  FOR event IN SELECT e.sequence, e.event_type, coalesce(e.event_time, e.recorded_at) AS happened, e.reference, e.data,
                      @upcast(_evercore_jsonb(e.data); k.upcast_steps)@ AS parsed, coalesce(k.fold, 'merge') AS fold
                 FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
                WHERE e.aggregate_id = id AND e.sequence > first AND e.sequence <= last ORDER BY e.sequence LOOP
    IF event.fold <> 'rules' THEN
      state := _evercore_fold_step(state, event.parsed, event.fold);
    ELSE
      @fold_by_rules(event.parsed)@
    END IF;
    sequence := event.sequence;
    event_type := event.event_type;
    event_time := event.happened;
    reference := event.reference;
    data := event.data;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_history_one_by_one(bigint, bigint, bigint, jsonb) IS 'Events with the state after each, of any kind.';

CREATE OR REPLACE FUNCTION evercore_history(id bigint)
RETURNS TABLE (sequence bigint, event_type text, event_time timestamptz, reference text, data json, state jsonb)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  start jsonb;
  first bigint;
  last bigint;
  amount bigint;
  erased boolean;
  one_by_one boolean;
BEGIN
  PERFORM _evercore_ready();
  SELECT a.base, a.sequence, a.erased, CASE WHEN a.base = 0 OR a.erased THEN '{}' ELSE _evercore_state(a.aggregate_id, a.base) END INTO first, last, erased, start
    FROM evercore_aggregate a WHERE a.aggregate_id = evercore_history.id;
  SELECT count(*), bool_or(k.fold IN ('patch', 'rules') OR k.upcast_steps IS NOT NULL OR e.data::text ~ '[eE][+-]?[0-9]{4}|[.][0-9]{255}') INTO amount, one_by_one
    FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
   WHERE e.aggregate_id = evercore_history.id AND e.sequence > first AND e.sequence <= last;
  IF amount < last - first THEN PERFORM _evercore_missing(evercore_history.id, first); END IF;
  IF one_by_one AND NOT erased THEN
    RETURN QUERY SELECT h.* FROM _evercore_history_one_by_one(evercore_history.id, first, last, start) h;
  ELSE
    RETURN QUERY
    SELECT e.sequence, e.event_type, coalesce(e.event_time, e.recorded_at), e.reference, e.data,
           start || _evercore_merge(CASE WHEN k.fold <> 'merge' THEN '{}'
                                         WHEN position('null' IN e.data::text) = 0 THEN e.data::jsonb
                                         ELSE _evercore_members(e.data::jsonb) END)
             OVER (ORDER BY e.sequence ROWS UNBOUNDED PRECEDING)
      FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
     WHERE e.aggregate_id = evercore_history.id AND e.sequence > first AND e.sequence <= last ORDER BY e.sequence;
  END IF;
END $$;
COMMENT ON FUNCTION evercore_history(bigint) IS 'Every event of an aggregate that is kept, with the state as it was after it.';
