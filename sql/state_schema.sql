-- Schemas of states: what the state of an aggregate must be after each event of each append.
--
-- So that an append does not fold all that came before, the state after an aggregate's last event is kept, in a row beside it: the append reads it
-- once it has locked the aggregate, folds its own events on top, and writes it back. Nothing else reads it, and nothing depends on it: a row
-- that is missing, or of another sequence than the version, is made up by a fold.
--
-- That an aggregate type declares a schema at all is a mark beside the positions (see life.sql), read where the marks of other declarations
-- are: a store that declares none does no more work.

-- == Appends ==

-- The state after each of an aggregate's newest events, which this transaction wrote, is judged: the first fault, and its sequence. So many
-- events are folded at once as keep in memory what the fold gives.
CREATE OR REPLACE FUNCTION _evercore_keep_state(id bigint, before bigint, reached bigint, OUT place bigint, OUT fault text)
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  kind record;
  state jsonb;
  printed text;
  upto bigint;
  one record;
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN PERFORM _evercore_enter(); END IF;
  SELECT t.name, t.schema, t.schema_path, a.natural_key, a.sequence INTO kind
    FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id WHERE a.aggregate_id = id;
  IF kind.schema IS NULL THEN RETURN; END IF;
  state := CASE WHEN before = 0 THEN '{}'
                ELSE coalesce((SELECT _evercore_kept_state(k.state) FROM evercore_kept_state k WHERE k.aggregate_id = id AND k.sequence = before), _evercore_state(id, before)) END;
  WHILE before < reached LOOP
    upto := least(reached, before + least(32, greatest(1, 1048576 / pg_column_size(state))));
    FOR one IN SELECT h.sequence, h.state FROM _evercore_history_one_by_one(id, before, upto, state) h LOOP
      state := one.state;
      printed := _evercore_json_text(state);
      CONTINUE WHEN @is_true_of(kind.schema_path; state; printed)@;
      fault := _evercore_schema_fault(kind.schema::jsonb, state);
      CONTINUE WHEN fault IS NULL;
      place := one.sequence;
      fault := format('state of "%s" %s at sequence %s: %s', kind.name, coalesce('"' || kind.natural_key || '"', id::text), place, fault);
      RETURN;
    END LOOP;
    before := upto;
  END LOOP;
  -- A trigger of the user's may have appended meanwhile, and then kept what came of it.
  IF kind.sequence = reached THEN
    INSERT INTO evercore_kept_state AS k (aggregate_id, sequence, state) VALUES (id, reached, printed::json)
        ON CONFLICT (aggregate_id) DO UPDATE SET sequence = excluded.sequence, state = excluded.state;
    IF NOT FOUND THEN PERFORM _evercore_require_kept(false); END IF;
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_keep_state(bigint, bigint, bigint)
  IS 'Keeps the state after an aggregate''s newest events for the next append; gives the first fault that its type''s schema finds with one of them.';

CREATE OR REPLACE FUNCTION _evercore_check_state(id bigint, reached bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text := (_evercore_keep_state(id, reached - 1, reached)).fault;
BEGIN
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV011', fault); END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_state(bigint, bigint) IS 'Refuses an append after which the state is not what its type declares: EV011.';

-- A state that is there and is another one than the fold would be believed.
CREATE OR REPLACE FUNCTION _evercore_require_kept(kept boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF NOT kept THEN RAISE EXCEPTION 'EV010: a row was not written: a trigger or rule of its table kept it back' USING ERRCODE = 'EV010'; END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_kept(boolean) IS 'EV010 where a trigger or rule kept back what is to be kept of a state.';

-- What somebody damaged is made up by a fold, as if it were not there.
CREATE OR REPLACE FUNCTION _evercore_kept_state(state json) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
  RETURN state::jsonb;
EXCEPTION WHEN data_exception OR statement_too_complex THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_kept_state(json) IS 'A kept state, or NULL where the server cannot read it.';

-- Of a call of many appends the first fault in the order of its events. Each aggregate is looked at once: a row that one transaction writes
-- again and again becomes slow to find.
CREATE OR REPLACE FUNCTION _evercore_check_states(ids bigint[], befores bigint[], counts bigint[], in_rows boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  wrong record;
BEGIN
  WITH judged AS MATERIALIZED (
    SELECT g.id, k.place, k.fault
      FROM (SELECT o.id, min(o.before) AS before, max(o.before + o.amount) AS reached
              FROM unnest(ids, befores, counts) AS o (id, before, amount) WHERE o.amount > 0 GROUP BY o.id) g, LATERAL _evercore_keep_state(g.id, g.before, g.reached) k
  )
  SELECT j.fault, u.no INTO wrong
    FROM judged j JOIN unnest(ids, befores, counts) WITH ORDINALITY AS u (id, before, amount, no)
      ON u.id = j.id AND j.place > u.before AND j.place <= u.before + u.amount
   WHERE j.fault IS NOT NULL ORDER BY u.no LIMIT 1;
  IF FOUND THEN PERFORM _evercore_refuse('EV011', wrong.fault || _evercore_row(wrong.no, in_rows)); END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_states(bigint[], bigint[], bigint[], boolean) IS 'Refuses appends after which a state is not what its type declares: EV011.';

-- == What is there already ==

-- Of aggregates that are locked, or while nobody appends.
CREATE OR REPLACE FUNCTION _evercore_make_up_states(ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  INSERT INTO evercore_kept_state AS k (aggregate_id, sequence, state)
  SELECT a.aggregate_id, a.sequence, _evercore_json_text(_evercore_state(a.aggregate_id, a.sequence))::json
    FROM unnest(ids) AS u (id) JOIN evercore_aggregate a ON a.aggregate_id = u.id WHERE @lacks_its_state@
      ON CONFLICT (aggregate_id) DO UPDATE SET sequence = excluded.sequence, state = excluded.state;
  PERFORM _evercore_require_kept(NOT EXISTS (
    SELECT FROM unnest(ids) AS u (id) JOIN evercore_aggregate a ON a.aggregate_id = u.id WHERE @lacks_its_state@));
END $$;
COMMENT ON FUNCTION _evercore_make_up_states(bigint[]) IS 'Keeps the states of aggregates where they are not.';

-- Under the lock of declarations. Of more than 100,000 aggregates it is left to evercore_fill.
CREATE OR REPLACE FUNCTION _evercore_keep_states_of(kind integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET jit = off AS $$
DECLARE
  lacking bigint[] := ARRAY(SELECT a.aggregate_id FROM evercore_aggregate a WHERE a.type_id = kind AND @lacks_its_state@ LIMIT @max_filled@ + 1);
BEGIN
  IF cardinality(lacking) <= @max_filled@ THEN PERFORM _evercore_make_up_states(lacking); END IF;
  UPDATE evercore_aggregate_type t
     SET filled_to = 0, unfilled = CASE WHEN cardinality(lacking) <= @max_filled@ THEN 0
                                        ELSE (SELECT count(*) FROM evercore_aggregate a WHERE a.type_id = kind AND @lacks_its_state@) END
   WHERE t.type_id = kind;
  PERFORM _evercore_declaration_written(FOUND, 'evercore_aggregate_type');
END $$;
COMMENT ON FUNCTION _evercore_keep_states_of(integer) IS 'Keeps the states of an aggregate type''s aggregates where they are not, or notes how many evercore_fill has to.';

-- Under the lock of declarations, where events of a type change states otherwise from now on.
CREATE OR REPLACE FUNCTION _evercore_renew_kept_states(type text) RETURNS void
LANGUAGE plpgsql VOLATILE SET jit = off AS $$
DECLARE
  kinds integer[];
BEGIN
  WITH gone AS (
    DELETE FROM evercore_kept_state k WHERE EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = k.aggregate_id AND e.event_type = type COLLATE "C")
    RETURNING k.aggregate_id
  )
  SELECT array_agg(DISTINCT a.type_id) INTO kinds FROM gone g JOIN evercore_aggregate a ON a.aggregate_id = g.aggregate_id;
  PERFORM _evercore_require_kept(NOT EXISTS (
    SELECT FROM evercore_kept_state k WHERE EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = k.aggregate_id AND e.event_type = type COLLATE "C")));
  PERFORM _evercore_keep_states_of(t.type_id) FROM evercore_aggregate_type t WHERE t.type_id = ANY (kinds) AND t.schema IS NOT NULL;
END $$;
COMMENT ON FUNCTION _evercore_renew_kept_states(text) IS 'Makes the kept states of aggregates that have events of a type anew.';

-- In the order of ids. What an append has kept meanwhile is passed over.
CREATE OR REPLACE FUNCTION _evercore_next_unkept(room bigint) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
  one record;
  part bigint[];
  ids bigint[] := '{}';
BEGIN
  FOR one IN SELECT t.type_id FROM evercore_aggregate_type t WHERE t.unfilled > 0 ORDER BY t.name LOOP
    EXIT WHEN room = 0;
    SELECT t.type_id, t.filled_to, t.unfilled INTO one FROM evercore_aggregate_type t WHERE t.type_id = one.type_id FOR NO KEY UPDATE;
    part := ARRAY(SELECT a.aggregate_id FROM evercore_aggregate a
                   WHERE a.aggregate_id > one.filled_to AND a.type_id = one.type_id AND @lacks_its_state@ ORDER BY a.aggregate_id LIMIT least(room, one.unfilled));
    UPDATE evercore_aggregate_type t SET filled_to = coalesce(part[cardinality(part)], one.filled_to),
                                         unfilled = CASE WHEN cardinality(part) < least(room, one.unfilled) THEN 0 ELSE one.unfilled - cardinality(part) END
     WHERE t.type_id = one.type_id;
    PERFORM _evercore_declaration_written(FOUND, 'evercore_aggregate_type');
    ids := ids || part;
    room := room - cardinality(part);
  END LOOP;
  RETURN ids;
END $$;
COMMENT ON FUNCTION _evercore_next_unkept(bigint) IS 'Takes so many of the aggregates whose states declarations have left to evercore_fill.';

CREATE OR REPLACE FUNCTION _evercore_check_kept_states() RETURNS TABLE (aggregate_id bigint, sequence bigint, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
  SELECT k.aggregate_id, k.sequence,
         CASE WHEN a.aggregate_id IS NULL THEN 'no such aggregate, and a kept state is left' WHEN a.erased THEN 'a kept state is left of an erased aggregate'
              ELSE format('kept state at sequence %s differs from the fold', k.sequence) END
    FROM evercore_kept_state k LEFT JOIN evercore_aggregate a ON a.aggregate_id = k.aggregate_id
   WHERE CASE WHEN a.erased IS NOT FALSE OR k.sequence > a.sequence OR k.sequence < a.base THEN true
              ELSE NOT _evercore_is_folded(k.state, k.aggregate_id, a.base, k.sequence) END
$$;
COMMENT ON FUNCTION _evercore_check_kept_states() IS 'Kept states that are not the fold at their sequence.';
