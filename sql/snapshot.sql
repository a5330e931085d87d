-- Snapshots: states stored at a sequence, by the engine's fold or by an application.

-- Locks the aggregate, when no declaration can change any more, and gives its row; EV002 where it cannot be written to. It locks by an
-- UPDATE that changes nothing: an erasure with an older snapshot would not see what is stored now, and gets 40001 because of it.
CREATE OR REPLACE FUNCTION _evercore_lock(id bigint, OUT sequence bigint, OUT base bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_known(id, true), _evercore_enter();
  UPDATE evercore_aggregate a SET sequence = a.sequence WHERE a.aggregate_id = id RETURNING a.sequence, a.base INTO sequence, base;
  PERFORM _evercore_known(id, true), _evercore_require_whole(sequence IS NOT NULL, 'a snapshot of aggregate ' || id || ' was stored');
END $$;
COMMENT ON FUNCTION _evercore_lock(bigint) IS 'An aggregate''s version and base; the aggregate is locked.';

CREATE OR REPLACE FUNCTION _evercore_store_snapshot(id bigint, at_sequence bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
  INSERT INTO evercore_snapshot (aggregate_id, sequence, state)
  SELECT id, at_sequence, _evercore_json_text(_evercore_state(id, at_sequence))::json
   WHERE at_sequence > 0
     AND NOT EXISTS (SELECT FROM evercore_snapshot s WHERE s.aggregate_id = id AND s.version IS NULL AND s.sequence = at_sequence)
      ON CONFLICT (aggregate_id, sequence) WHERE version IS NULL DO NOTHING
$$;
COMMENT ON FUNCTION _evercore_store_snapshot(bigint, bigint) IS 'Stores an engine snapshot where there is none.';

-- Called by appends once any type has a policy: did this one cross a multiple of `every`? The single append has
-- locked the table by its UPDATE before it comes here; see locks.sql.
CREATE OR REPLACE FUNCTION _evercore_follow_policy(id bigint, before bigint, reached bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN PERFORM _evercore_enter(); END IF;
  IF EXISTS (SELECT FROM evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
              WHERE a.aggregate_id = id AND t.snapshot_every > 0 AND reached / t.snapshot_every > before / t.snapshot_every) THEN
    PERFORM _evercore_policy_snapshot(id, reached);
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_follow_policy(bigint, bigint, bigint) IS 'Stores a snapshot where an append crossed a multiple that its policy names.';

CREATE OR REPLACE FUNCTION _evercore_policy_snapshot(id bigint, at_sequence bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
  SELECT _evercore_store_snapshot(id, at_sequence);
  DELETE FROM evercore_snapshot s
   USING evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id
   WHERE a.aggregate_id = id AND s.aggregate_id = id AND s.version IS NULL AND s.sequence <> a.base
     AND (SELECT count(*) FROM evercore_snapshot n WHERE n.aggregate_id = id AND n.version IS NULL AND n.sequence > s.sequence) >= t.snapshot_keep
$$;
COMMENT ON FUNCTION _evercore_policy_snapshot(bigint, bigint) IS 'Stores an engine snapshot and drops old ones, as the type''s policy says.';

CREATE OR REPLACE FUNCTION evercore_snapshot(id bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  aggregate record;
BEGIN
  @home@
  SELECT l.sequence INTO aggregate FROM _evercore_lock(id) l;
  PERFORM _evercore_store_snapshot(id, aggregate.sequence);
  PERFORM _evercore_require_whole(aggregate.sequence = 0 OR EXISTS (
    SELECT FROM evercore_snapshot s WHERE s.aggregate_id = id AND s.version IS NULL AND s.sequence = aggregate.sequence), 'a snapshot of aggregate ' || id || ' was stored');
  RETURN aggregate.sequence;
END $$;
COMMENT ON FUNCTION evercore_snapshot(bigint) IS 'Stores the folded state as an engine snapshot and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_save_snapshot(id bigint, sequence bigint, state text, version bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  aggregate record;
BEGIN
  @home@
  SELECT l.sequence, l.base INTO aggregate FROM _evercore_lock(id) l;
  IF evercore_save_snapshot.sequence IS NULL THEN PERFORM _evercore_refuse('EV009', 'sequence is NULL'); END IF;
  IF evercore_save_snapshot.version IS NULL THEN PERFORM _evercore_refuse('EV009', 'version is NULL'); END IF;
  IF evercore_save_snapshot.state IS NULL THEN PERFORM _evercore_refuse('EV009', 'state is NULL'); END IF;
  PERFORM _evercore_payload(evercore_save_snapshot.state COLLATE "C", 'state');
  IF evercore_save_snapshot.sequence NOT BETWEEN 1 AND aggregate.sequence THEN
    RAISE EXCEPTION 'EV002: aggregate % has no sequence %: it is at %', id, evercore_save_snapshot.sequence, aggregate.sequence USING ERRCODE = 'EV002';
  ELSIF evercore_save_snapshot.sequence < aggregate.base THEN
    RAISE EXCEPTION 'EV002: sequence % of aggregate % was compacted: the oldest that can be read is %', evercore_save_snapshot.sequence, id, aggregate.base
      USING ERRCODE = 'EV002';
  END IF;
  INSERT INTO evercore_snapshot AS s (aggregate_id, sequence, version, state)
  VALUES (id, evercore_save_snapshot.sequence, evercore_save_snapshot.version, evercore_save_snapshot.state::json)
      ON CONFLICT (aggregate_id, version, sequence) WHERE version IS NOT NULL
      DO UPDATE SET state = excluded.state, recorded_at = excluded.recorded_at;
  PERFORM _evercore_require_whole(FOUND, 'a snapshot of aggregate ' || id || ' was stored');
  RETURN evercore_save_snapshot.sequence;
END $$;
COMMENT ON FUNCTION evercore_save_snapshot(bigint, bigint, text, bigint) IS
  'Stores an application snapshot, used by evercore_replay of that version only; gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_snapshot_policy(type text, every bigint, keep bigint) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  kind integer;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(type, 'aggregate_type', @max_name@);
  IF every IS NULL THEN PERFORM _evercore_refuse('EV009', 'every is NULL'); END IF;
  PERFORM _evercore_number(every, 'every', 0, NULL);
  IF every > 0 THEN
    IF keep IS NULL THEN PERFORM _evercore_refuse('EV009', 'keep is NULL'); END IF;
    PERFORM _evercore_number(keep, 'keep', 1, NULL);
  END IF;
  keep := CASE WHEN every > 0 THEN keep ELSE 1 END;
  PERFORM FROM evercore_aggregate_type t WHERE t.name = type COLLATE "C" AND t.snapshot_every = every AND t.snapshot_keep = keep;
  IF FOUND THEN RETURN type; END IF;
  PERFORM _evercore_await_aggregate_type(type), _evercore_enter_declaration();
  kind := _evercore_aggregate_type(type);
  PERFORM _evercore_mark(@policy@);
  UPDATE evercore_aggregate_type t SET snapshot_every = every, snapshot_keep = keep WHERE t.type_id = kind;
  PERFORM _evercore_declaration_written(FOUND, 'evercore_aggregate_type');
  RETURN type;
END $$;
COMMENT ON FUNCTION evercore_snapshot_policy(text, bigint, bigint) IS
  'From now on appends that cross a multiple of every store an engine snapshot and keep the newest few; 0 turns it off.';
