-- The in-flight floor: how followers read in position order without ever skipping an event that commits late.
--
-- A transaction that appends holds a shared advisory lock whose key carries the newest position at the time it was taken;
-- every position it draws afterwards is larger. A follower asks, in this order and each in a snapshot of its own:
--   1. head: the newest position drawn by anyone;
--   2. floor: the smallest key among the locks;
--   3. events up to the smaller of both.
-- Each position up to head was drawn under a lock. At step 2 its transaction either still holds that lock, and the floor
-- is below the position, or it has ended (locks go after a commit has become visible), and step 3 sees what it committed.
--
-- One transaction would need a lock a call; a setting local to the transaction remembers the first key, and the same lock
-- taken again costs no shared memory. Anyone can write a setting, so it is a hint only: the lock is taken at every append,
-- and any key not above the newest position is safe. A wrong hint can only hold followers back, as an open transaction does.
--
-- Keys are 20 bits of the store's name and 44 bits of position. Anyone who may connect can compute them, so nothing waits for a key.
-- Where somebody else holds it exclusively, an append takes another one, since any key not above the newest position is safe; and
-- followers look at shared locks alone. A shared lock of somebody else lowers the floor.

-- `newest`: the newest position, as the caller has read it; NULL: see life.sql.
CREATE OR REPLACE FUNCTION _evercore_hold_floor(newest bigint DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF newest IS NULL THEN newest := _evercore_newest_position(substring(current_setting(@floor_setting@, true) FROM @digits@)::bigint); END IF;
  RETURN pg_try_advisory_xact_lock_shared(@namespace@ | greatest(0, least(newest,
           coalesce(substring(current_setting(@floor_setting@, true) FROM @digits@), set_config(@floor_setting@, newest::text, true))::bigint)))
      OR _evercore_hold_other_floor();
END $$;
COMMENT ON FUNCTION _evercore_hold_floor(bigint)
  IS 'Makes followers stop below every position this transaction draws from now on; EV010 where the sequence is wrong.';

-- Lower keys first, at random, farther down with each try. Where all were taken, keys of the two-part form, at random as well, which
-- stand for a floor of zero; a setting remembers which, so that the transaction's next append takes the same one again.
CREATE OR REPLACE FUNCTION _evercore_hold_other_floor() RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  lower bigint;
  key integer;
BEGIN
  key := substring(current_setting(@floor_setting@ || '_key', true) FROM '^-?[0-9]{1,9}$')::integer;
  IF pg_try_advisory_xact_lock_shared(hashtext('@extschema@'), key) THEN RETURN true; END IF;
  FOR i IN 8 .. 24 LOOP
    lower := greatest(0, @last_position@ - (random() * (1 << i))::bigint);
    IF pg_try_advisory_xact_lock_shared(@namespace@ | lower) THEN
      PERFORM set_config(@floor_setting@, lower::text, true);
      RETURN true;
    END IF;
  END LOOP;
  FOR i IN 1 .. 100 LOOP
    key := ((random() * 2 - 1) * 999999999)::integer;
    IF pg_try_advisory_xact_lock_shared(hashtext('@extschema@'), key) THEN
      PERFORM set_config(@floor_setting@ || '_key', key::text, true);
      RETURN true;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'EV010: others hold the advisory locks that an append needs: see pg_locks' USING ERRCODE = 'EV010';
END $$;
COMMENT ON FUNCTION _evercore_hold_other_floor() IS 'The same where a stranger holds the key.';

CREATE OR REPLACE FUNCTION _evercore_locks() RETURNS TABLE ("position" bigint, pid integer)
LANGUAGE sql VOLATILE AS $$
  SELECT CASE l.objsubid WHEN 1 THEN ((l.classid::bigint << 32) | l.objid::bigint) & @max_position@ ELSE 0 END, l.pid
    FROM pg_lock_status() l
   WHERE @floor_lock@
$$;
COMMENT ON FUNCTION _evercore_locks() IS 'The floors that transactions hold which have appended and not ended.';

-- The newest position below which nothing can still appear: steps 1 and 2 of a follower.
CREATE OR REPLACE FUNCTION _evercore_safe_position() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
  head bigint;
  held bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN (SELECT max(f.floor) FROM _evercore_floor f);
  END IF;
  head := @last_position@;
  -- What _evercore_locks says, written out: its plan is kept from call to call here.
  SELECT min(CASE l.objsubid WHEN 1 THEN ((l.classid::bigint << 32) | l.objid::bigint) & @max_position@ ELSE 0 END) INTO held
    FROM pg_lock_status() l
   WHERE @floor_lock@;
  RETURN least(head, held);
END $$;
COMMENT ON FUNCTION _evercore_safe_position() IS 'The newest position below which nothing can still appear.';

-- The safe position can go back: after a transaction has read the newest position, and before it takes its lock, others may draw, commit
-- and be read by followers. What was read stays right: nothing can still appear among positions that all have a committed event. A gap
-- proves nothing, so a follower that meets one at such a moment waits for the end of that transaction.
CREATE OR REPLACE FUNCTION _evercore_is_settled(place bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
  safe bigint := _evercore_safe_position();
BEGIN
  IF place <= safe THEN RETURN true; END IF;
  IF place - safe > 10000 OR EXISTS (SELECT FROM _evercore_locks() l WHERE l.pid = pg_backend_pid() AND l.position < place) THEN RETURN false; END IF;
  RETURN place - safe = (SELECT count(*) FROM evercore_event e WHERE e.position > safe AND e.position <= place);
END $$;
COMMENT ON FUNCTION _evercore_is_settled(bigint) IS 'Whether nothing can still appear at or below a position.';

CREATE OR REPLACE FUNCTION _evercore_is_replica() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srrelid = to_regclass('@extschema@.evercore_event'));
END $$;
COMMENT ON FUNCTION _evercore_is_replica() IS 'Whether events come by logical replication.';

-- Events come to a logical replica in the order of commits: a follower that reads there by position would skip some.
CREATE OR REPLACE FUNCTION _evercore_check_replica() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF _evercore_is_replica() THEN
    RAISE EXCEPTION 'EV010: this store is a logical replica, to which events come in the order of commits: '
      'follow it at its publisher, or drop the subscription and SELECT evercore_migrate()'
      USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_replica() IS 'EV010 where events come by logical replication.';

-- For callers that read up to the safe position: their snapshot must be newer than it.
CREATE OR REPLACE FUNCTION _evercore_safe_head() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'EV010: following needs READ COMMITTED: % cannot see late commits', current_setting('transaction_isolation')
      USING ERRCODE = 'EV010';
  END IF;
  IF @unmigrated@ THEN PERFORM _evercore_ready(); END IF;
  -- A mark of zero says that events came by replication; see life.sql. Where none came so far, no position was drawn either.
  IF (pg_sequence_last_value('@extschema@._evercore_timeline'::regclass) <> 0 AND @last_value@ IS NOT NULL) IS NOT TRUE THEN
    PERFORM _evercore_check_replica();
  END IF;
  RETURN _evercore_safe_position();
END $$;
COMMENT ON FUNCTION _evercore_safe_head() IS 'The newest position that followers may read to; EV010 outside READ COMMITTED.';

-- A standby shows rows but no locks: for followers on a standby this must be called now and then on the primary.
-- A standby that sees the row sees every event below it, since those were committed before.
CREATE OR REPLACE FUNCTION _evercore_publish_floor() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  safe bigint;
BEGIN
  @home@
  safe := _evercore_safe_head();
  UPDATE _evercore_floor f SET floor = safe, published_at = clock_timestamp()
   WHERE f.ctid = (SELECT g.ctid FROM _evercore_floor g WHERE g.floor < safe FOR UPDATE SKIP LOCKED);
  RETURN safe;
END $$;
COMMENT ON FUNCTION _evercore_publish_floor() IS 'Publishes how far followers may read, for those on a standby; gives that position.';

CREATE OR REPLACE FUNCTION _evercore_key_holders() RETURNS TABLE (pid integer)
LANGUAGE sql VOLATILE AS $$
  SELECT l.pid FROM pg_lock_status() l
   WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
     AND (@holds_key(@tag_keys@)@ OR @holds_key(@type_keys@)@ OR @holds_key(@store_keys@)@)
  EXCEPT
  SELECT f.pid FROM _evercore_locks() f
$$;
COMMENT ON FUNCTION _evercore_key_holders() IS 'Who holds keys of conditions without having appended: an append that waits for others, or a stranger.';

CREATE OR REPLACE FUNCTION _evercore_in_flight() RETURNS TABLE ("position" bigint, holder text, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT l.position,
         CASE WHEN l.pid IS NULL THEN 'prepared transaction'
              ELSE 'pid ' || l.pid || coalesce(' ' || s.usename, '') || coalesce(' ' || nullif(s.application_name, ''), '') END,
         s.xact_start
    FROM (SELECT f.* FROM _evercore_locks() f UNION ALL SELECT NULL::bigint, k.pid FROM _evercore_key_holders() k) l
         LEFT JOIN pg_stat_activity s ON s.pid = l.pid
   ORDER BY l.position, l.pid
$$;
COMMENT ON FUNCTION _evercore_in_flight() IS 'Who holds followers back: the rows of evercore_in_flight.';
