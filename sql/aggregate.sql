-- Aggregates: making, finding, renaming them. Types are interned on first use.

CREATE OR REPLACE FUNCTION _evercore_aggregate_type(name text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  found_id integer;
BEGIN
  SELECT t.type_id INTO found_id FROM evercore_aggregate_type t WHERE t.name = _evercore_aggregate_type.name COLLATE "C";
  IF NOT FOUND THEN
    PERFORM _evercore_name(name, 'aggregate_type', @max_name@);
    INSERT INTO evercore_aggregate_type AS t (name) VALUES (_evercore_aggregate_type.name) ON CONFLICT DO NOTHING;
    SELECT t.type_id INTO found_id FROM evercore_aggregate_type t WHERE t.name = _evercore_aggregate_type.name COLLATE "C";
    IF NOT FOUND AND _evercore_draw_ids() THEN RETURN _evercore_aggregate_type(name); END IF;
    IF found_id IS NULL THEN RAISE EXCEPTION 'aggregate type "%" was renamed while it was made: try again', name USING ERRCODE = '40001'; END IF;
  END IF;
  RETURN found_id;
END $$;
COMMENT ON FUNCTION _evercore_aggregate_type(text) IS 'The id of an aggregate type, made where it is missing.';

-- A call waits for another that is making the same type before it takes locks that others need, not while it holds them.
CREATE OR REPLACE FUNCTION _evercore_await_aggregate_type(name text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.name = _evercore_await_aggregate_type.name COLLATE "C") THEN RETURN; END IF;
  PERFORM _evercore_aggregate_type(name);
  RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'made to be unmade';
EXCEPTION WHEN raise_exception THEN
  NULL;
END $$;
COMMENT ON FUNCTION _evercore_await_aggregate_type(text) IS 'Waits for another transaction that is making this aggregate type; leaves nothing behind.';

CREATE OR REPLACE FUNCTION evercore_create(type text, key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  made bigint;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(type, 'aggregate_type', @max_name@);
  IF key IS NOT NULL THEN PERFORM _evercore_name(key, 'natural_key', @max_name@); END IF;
  FOR attempt IN 1 .. 2 LOOP
    INSERT INTO evercore_aggregate AS a (type_id, natural_key) VALUES (_evercore_aggregate_type(type), key)
        ON CONFLICT DO NOTHING RETURNING a.aggregate_id INTO made;
    IF FOUND THEN RETURN made; END IF;
    EXIT WHEN evercore_find(type, key) IS NOT NULL;
    PERFORM _evercore_draw_ids();  -- the id that it drew was taken
  END LOOP;
  RAISE EXCEPTION 'EV003: natural key "%" is taken in aggregate type "%"', key, type USING ERRCODE = 'EV003';
END $$;
COMMENT ON FUNCTION evercore_create(text, text) IS 'Makes an aggregate and gives its id; EV003 where the natural key is taken.';

CREATE OR REPLACE FUNCTION evercore_ensure(type text, key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  found_id bigint;
BEGIN
  @home@
  IF @unmigrated@ THEN PERFORM _evercore_ready(); END IF;
  @find@
  IF FOUND THEN RETURN found_id; END IF;
  -- Plainly a name, in a type that is there: one statement, which looks at the type once the table is locked.
  IF octet_length(key) BETWEEN 1 AND @max_name@ THEN
    INSERT INTO evercore_aggregate AS a (type_id, natural_key) SELECT t.type_id, key FROM evercore_aggregate_type t WHERE t.name = type COLLATE "C"
        ON CONFLICT DO NOTHING RETURNING a.aggregate_id INTO found_id;
    IF FOUND THEN RETURN found_id; END IF;
  END IF;
  PERFORM _evercore_name(type, 'aggregate_type', @max_name@), _evercore_name(key, 'natural_key', @max_name@);
  FOR attempt IN 1 .. 2 LOOP
    INSERT INTO evercore_aggregate AS a (type_id, natural_key) VALUES (_evercore_aggregate_type(type), key)
        ON CONFLICT DO NOTHING RETURNING a.aggregate_id INTO found_id;
    -- Someone else made it meanwhile: the insert waited for that commit, so it is visible now.
    IF NOT FOUND THEN found_id := evercore_find(type, key); END IF;
    IF found_id IS NOT NULL THEN RETURN found_id; END IF;
    PERFORM _evercore_draw_ids();  -- or the id that was drawn is taken
  END LOOP;
  RAISE EXCEPTION 'natural key "%" was renamed or erased while it was ensured: try again', key USING ERRCODE = '40001';
END $$;
COMMENT ON FUNCTION evercore_ensure(text, text) IS 'The id of the aggregate of that type and natural key, made where it is missing.';

CREATE OR REPLACE FUNCTION evercore_find(type text, key text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  found_id bigint;
BEGIN
  IF @unmigrated@ THEN PERFORM _evercore_ready(); END IF;
  @find@
  RETURN found_id;
END $$;
COMMENT ON FUNCTION evercore_find(text, text) IS 'The id of the aggregate of that type and natural key, or NULL.';

-- Keys come before rows in the order of all locks. So a row that holds the new key is inserted first, and deleted before anyone sees
-- it. At the unique index it waits for transactions that are taking or giving up that key, and for nobody else. Its id is below
-- zero, and different from that of any other transaction.
CREATE OR REPLACE FUNCTION evercore_rekey(id bigint, new_key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  place bigint;
  aggregate record;
  written boolean;
BEGIN
  @home@
  PERFORM _evercore_name(new_key, 'natural_key', @max_name@);
  PERFORM _evercore_known(id, true);
  SELECT a.type_id, a.natural_key INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = id;
  IF aggregate.natural_key = new_key COLLATE "C" THEN RETURN id; END IF;
  place := - pg_current_xact_id()::text::bigint;
  INSERT INTO evercore_aggregate (aggregate_id, type_id, natural_key) OVERRIDING SYSTEM VALUE VALUES (place, aggregate.type_id, new_key)
      ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    -- Meanwhile another call may have given it this very key.
    PERFORM FROM evercore_aggregate a WHERE a.aggregate_id = id AND a.natural_key = new_key COLLATE "C";
    IF FOUND THEN RETURN id; END IF;
    RAISE EXCEPTION 'EV003: natural key "%" is taken in aggregate type "%"', new_key,
      (SELECT t.name FROM evercore_aggregate_type t WHERE t.type_id = aggregate.type_id) USING ERRCODE = 'EV003';
  END IF;
  PERFORM FROM evercore_aggregate a WHERE a.aggregate_id = id FOR NO KEY UPDATE;
  DELETE FROM evercore_aggregate a WHERE a.aggregate_id = place;
  PERFORM _evercore_require_whole(FOUND, 'aggregate ' || id || ' was rekeyed');
  UPDATE evercore_aggregate a SET natural_key = new_key WHERE a.aggregate_id = id AND NOT a.erased;
  written := FOUND;
  PERFORM _evercore_known(id, true), _evercore_require_whole(written, 'aggregate ' || id || ' was rekeyed');
  RETURN id;
END $$;
COMMENT ON FUNCTION evercore_rekey(bigint, text) IS 'Gives an aggregate another natural key; EV003 where it is taken.';

CREATE OR REPLACE FUNCTION evercore_sequence(id bigint, at_time text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  moment timestamptz;
  aggregate record;
  last bigint;
BEGIN
  moment := _evercore_time(at_time, 'at_time');
  PERFORM _evercore_known(id, false);
  SELECT a.sequence, a.base, a.newest_removed INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = id;
  IF moment IS NULL THEN RETURN aggregate.sequence; END IF;
  SELECT max(e.sequence) INTO last FROM evercore_event e
   WHERE e.aggregate_id = id AND coalesce(e.event_time, e.recorded_at) <= moment;
  IF last IS NULL AND aggregate.base > 0 THEN
    IF moment < aggregate.newest_removed THEN
      RAISE EXCEPTION 'EV002: times before % of aggregate % were compacted', _evercore_time_text(aggregate.newest_removed), id
        USING ERRCODE = 'EV002';
    END IF;
    RETURN aggregate.base;
  END IF;
  RETURN coalesce(last, 0);
END $$;
COMMENT ON FUNCTION evercore_sequence(bigint, text) IS 'An aggregate''s version, or its last sequence at a time.';
