-- Folding events into a state, in the engine. Merge is the server's own concatenation of jsonb once null members are left
-- out; merging is associative, so a state is its snapshot || the fold of what came after. Patches need them one by one.

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

CREATE OR REPLACE AGGREGATE _evercore_fold(data jsonb, fold text) (SFUNC = _evercore_fold_step, STYPE = jsonb, INITCOND = '{}');
COMMENT ON AGGREGATE _evercore_fold(jsonb, text) IS 'Folds events of any kind.';

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

-- A jsonb as a document within the payload profile: jsonb spells 1e19 as an integer, and no integer may be that large.
CREATE OR REPLACE FUNCTION _evercore_json_text(document jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF document::text !~ '[0-9]{19}' THEN RETURN document::text; END IF;
  RETURN (SELECT string_agg(coalesce(part[1], CASE WHEN part[2]::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807
                                                   THEN part[2] || '.0' END, part[2], part[3]), '' ORDER BY no)
            FROM regexp_matches(document::text, '(' || @string@ || ')|(-?[0-9]{19,}(?![.0-9]))|(-?[0-9]+(?:[.][0-9]+)?|[^"0-9-]+)', 'g') WITH ORDINALITY AS pieces (part, no));
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

-- Folds an aggregate's events in (after, upto] on top of a state. `whole`: EV010 where some of them are missing.
CREATE OR REPLACE FUNCTION _evercore_fold_range(id bigint, "after" bigint, upto bigint, start jsonb, whole boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  state jsonb;
  patched boolean;
  amount bigint;
BEGIN
  BEGIN
    IF upto - "after" <= 512 THEN
      SELECT start || _evercore_merge(CASE WHEN position('null' IN e.data::text) = 0 THEN e.data::jsonb ELSE _evercore_members(e.data::jsonb) END
                                      ORDER BY e.sequence) FILTER (WHERE coalesce(k.fold, 'merge') = 'merge'),
             bool_or(k.fold = 'patch'), count(*)
        INTO state, patched, amount
        FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
       WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto;
    ELSE
      -- Each step copies the state so far. Merging is associative: many events first become a few, so that few steps copy much.
      SELECT start || _evercore_merge(b.merged ORDER BY b.block) FILTER (WHERE b.merged IS NOT NULL), bool_or(b.patched), sum(b.amount)
        INTO state, patched, amount
        FROM (SELECT e.sequence / 256 AS block, bool_or(k.fold = 'patch') AS patched, count(*) AS amount,
                     _evercore_merge(CASE WHEN position('null' IN e.data::text) = 0 THEN e.data::jsonb ELSE _evercore_members(e.data::jsonb) END
                                     ORDER BY e.sequence) FILTER (WHERE coalesce(k.fold, 'merge') = 'merge') AS merged
                FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
               WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto
               GROUP BY 1) b;
    END IF;
  EXCEPTION WHEN numeric_value_out_of_range THEN
    patched := true;
    SELECT count(*) INTO amount FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto;
  END;
  IF whole AND amount < upto - "after" THEN PERFORM _evercore_missing(id, "after"); END IF;
  IF patched IS NOT TRUE THEN RETURN coalesce(state, start); END IF;
  SELECT _evercore_fold(f.data, f.fold ORDER BY f.sequence) INTO state
    FROM (SELECT "after" AS sequence, start AS data, 'merge' AS fold
          UNION ALL
          SELECT e.sequence, _evercore_jsonb(e.data), coalesce(k.fold, 'merge') FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
           WHERE e.aggregate_id = id AND e.sequence > "after" AND e.sequence <= upto) f;
  RETURN state;
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
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
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

CREATE OR REPLACE FUNCTION evercore_history(id bigint)
RETURNS TABLE (sequence bigint, event_type text, event_time timestamptz, reference text, data json, state jsonb)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  start jsonb;
  first bigint;
  last bigint;
  amount bigint;
  one_by_one boolean;
BEGIN
  PERFORM _evercore_ready();
  SELECT a.base, a.sequence, CASE WHEN a.base = 0 OR a.erased THEN '{}' ELSE _evercore_state(a.aggregate_id, a.base) END INTO first, last, start
    FROM evercore_aggregate a WHERE a.aggregate_id = evercore_history.id;
  SELECT count(*), bool_or(k.fold = 'patch' OR e.data::text ~ '[eE][+-]?[0-9]{4}|[.][0-9]{255}') INTO amount, one_by_one
    FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
   WHERE e.aggregate_id = evercore_history.id AND e.sequence > first AND e.sequence <= last;
  IF amount < last - first THEN PERFORM _evercore_missing(evercore_history.id, first); END IF;
  IF one_by_one THEN
    RETURN QUERY
    SELECT h.sequence, h.event_type, h.event_time, h.reference, h.data, h.state
      FROM (SELECT f.sequence, f.event_type, f.event_time, f.reference, f.data,
                   _evercore_fold(f.folded, f.fold) OVER (ORDER BY f.sequence ROWS UNBOUNDED PRECEDING) AS state
              FROM (SELECT first AS sequence, NULL AS event_type, NULL::timestamptz AS event_time, NULL AS reference, NULL::json AS data,
                           start AS folded, 'merge' AS fold
                    UNION ALL
                    SELECT e.sequence, e.event_type, coalesce(e.event_time, e.recorded_at), e.reference, e.data, _evercore_jsonb(e.data), coalesce(k.fold, 'merge')
                      FROM evercore_event e LEFT JOIN evercore_event_type k ON k.name = e.event_type
                     WHERE e.aggregate_id = evercore_history.id AND e.sequence > first AND e.sequence <= last) f) h
     WHERE h.sequence > first ORDER BY h.sequence;
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

CREATE OR REPLACE FUNCTION evercore_event_type(name text, fold text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  aggregate bigint;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(name, 'event_type', 255);
  IF fold IS NULL THEN
    RAISE EXCEPTION 'EV009: fold is NULL' USING ERRCODE = 'EV009';
  ELSIF fold NOT IN ('merge', 'patch', 'custom') THEN
    RAISE EXCEPTION 'EV009: fold is not merge, patch or custom: "%"', fold USING ERRCODE = 'EV009';
  END IF;
  PERFORM FROM evercore_event_type k WHERE k.name = evercore_event_type.name COLLATE "C" AND k.fold = evercore_event_type.fold;
  IF FOUND THEN RETURN name; END IF;
  -- What was compacted and which snapshots are there is looked at below, after the lock: an older snapshot would miss the newest.
  PERFORM _evercore_read_committed('declaring'), _evercore_enter_declaration();
  INSERT INTO evercore_event_type AS k (name, fold) VALUES (evercore_event_type.name, 'merge') ON CONFLICT DO NOTHING;
  PERFORM FROM evercore_event_type k WHERE k.name = evercore_event_type.name COLLATE "C" AND k.fold = evercore_event_type.fold;
  IF FOUND THEN RETURN name; END IF;
  SELECT min(a.aggregate_id) INTO aggregate FROM evercore_aggregate a
   WHERE a.base > 0 AND NOT a.erased
     AND (EXISTS (SELECT FROM evercore_compacted_type c WHERE c.aggregate_id = a.aggregate_id AND c.event_type = evercore_event_type.name)
          OR EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id AND e.event_type = evercore_event_type.name));
  IF aggregate IS NOT NULL THEN
    RAISE EXCEPTION 'EV010: event type "%" folded into compacted aggregate %', name, aggregate USING ERRCODE = 'EV010';
  END IF;
  UPDATE evercore_event_type k SET fold = evercore_event_type.fold WHERE k.name = evercore_event_type.name COLLATE "C";
  DELETE FROM evercore_snapshot s WHERE s.version IS NULL
     AND EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = s.aggregate_id AND e.event_type = evercore_event_type.name)
     AND NOT EXISTS (SELECT FROM evercore_aggregate a WHERE a.aggregate_id = s.aggregate_id AND a.base = s.sequence AND a.base > 0);
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_event_type(text, text) IS 'Declares how an event type changes the state: merge, patch or custom.';
