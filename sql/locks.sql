-- Which calls wait for which, as a whole; docs/design-postgres.md has the order of all locks.
--
-- A call that writes events or snapshots holds ROW EXCLUSIVE on evercore_aggregate before every other lock, and one that changes a
-- declaration (a fold, a snapshot policy) holds SHARE ROW EXCLUSIVE there. The single append has it from its first statement, the
-- UPDATE of the aggregate, and so has a call that makes an aggregate; all others take it by LOCK TABLE. So a declaration waits for the writers
-- under way, and later ones wait for it; and since each statement of a VOLATILE function has a snapshot of its own, what a writer reads
-- in statements after its lock, declarations and states, is of one piece. Outside READ COMMITTED its snapshot may be older than the
-- lock: there it locks the row that every declaration updates, and fails with 40001 where that is newer.

-- Compaction looks at what subscriptions have read, and what begins a subscription looks at what was compacted. Neither sees the other
-- before it is committed, so they exclude each other on evercore_compacted_type.

CREATE OR REPLACE FUNCTION _evercore_enter() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  LOCK TABLE evercore_aggregate IN ROW EXCLUSIVE MODE;
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN PERFORM FROM _evercore_declared FOR SHARE; END IF;
END $$;
COMMENT ON FUNCTION _evercore_enter()
  IS 'Before all other locks of a call that writes events or snapshots: no declaration changes until this transaction ends.';

CREATE OR REPLACE FUNCTION _evercore_declaration_written(written boolean, place text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT written THEN
    RAISE EXCEPTION 'EV010: a declaration was not written: a trigger or rule of % kept it back', place USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_declaration_written(boolean, text) IS 'EV010 where the row of a declaration was not written.';

CREATE OR REPLACE FUNCTION _evercore_enter_declaration() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  -- Tags are derived before an event is written: a trigger on evercore_event would declare what that event lacks.
  IF pg_trigger_depth() > 0 AND EXISTS (
       SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.relation = 'evercore_event'::regclass AND l.mode = 'RowExclusiveLock') THEN
    RAISE EXCEPTION 'EV010: a declaration within an append would not hold for its events: call it in a statement of its own' USING ERRCODE = 'EV010';
  END IF;
  LOCK TABLE evercore_aggregate IN SHARE ROW EXCLUSIVE MODE;
  UPDATE _evercore_declared SET generation = generation + 1;
  PERFORM _evercore_declaration_written(FOUND, '_evercore_declared');
END $$;
COMMENT ON FUNCTION _evercore_enter_declaration() IS
  'Before all other locks of a call that changes a declaration: nobody writes events or snapshots until this transaction ends.';

-- What is declared, as statements after this one read it, stays so until the transaction ends: so somebody declares what nobody has declared.
CREATE OR REPLACE FUNCTION _evercore_hold_declarations(aggregate_type text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_read_committed('declaring');
  IF aggregate_type IS NOT NULL THEN PERFORM _evercore_name(aggregate_type, 'aggregate_type', @max_name@), _evercore_await_aggregate_type(aggregate_type); END IF;
  PERFORM _evercore_enter_declaration();
END $$;
COMMENT ON FUNCTION _evercore_hold_declarations(text) IS 'Nobody else declares anything until this transaction ends.';

-- For what must see all that was committed when it has its locks.
CREATE OR REPLACE FUNCTION _evercore_read_committed(doing text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'EV010: % needs READ COMMITTED: % cannot see late commits', doing, current_setting('transaction_isolation') USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_read_committed(text) IS 'EV010 outside READ COMMITTED.';

CREATE OR REPLACE FUNCTION _evercore_enter_compaction() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_read_committed('compaction'), _evercore_enter();
  LOCK TABLE evercore_compacted_type IN ROW EXCLUSIVE MODE;
END $$;
COMMENT ON FUNCTION _evercore_enter_compaction()
  IS 'Before all other locks of a call that removes events: no cursor is made or moved back until this transaction ends.';

CREATE OR REPLACE FUNCTION _evercore_enter_subscription() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  LOCK TABLE evercore_compacted_type IN SHARE MODE;
END $$;
COMMENT ON FUNCTION _evercore_enter_subscription()
  IS 'Before a cursor is made or moved back, or a filter changed: nothing is compacted until this transaction ends.';
