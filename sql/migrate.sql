-- Migrations: the texts of migrations/postgres, which the build puts into _evercore_migrations, run in order in one
-- transaction. What is missing or different of what a store is made of, and the rights, are mended by each run, so that a store
-- whose functions were dropped with an extension and made again only needs evercore_migrate() to be whole.

-- Where its row or table went, the version is not guessed: migrations that ran before must not run again over what is there.
CREATE OR REPLACE FUNCTION _evercore_schema_version() RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  present integer;
  there boolean := to_regclass('@extschema@.evercore_schema') IS NOT NULL;
BEGIN
  IF there THEN present := (SELECT max(s.version) FROM evercore_schema s); END IF;
  IF present IS NOT NULL THEN RETURN present; END IF;
  IF NOT there AND to_regclass('@extschema@.evercore_aggregate') IS NULL THEN RETURN 0; END IF;
  RAISE EXCEPTION 'EV008: the store is damaged: evercore_schema is %, and its other tables are there',
    CASE WHEN there THEN 'empty' ELSE 'missing' END
    USING ERRCODE = 'EV008',
      HINT = format('SET ROLE %s; ', (SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = to_regclass('@extschema@.evercore_aggregate')))
      || CASE WHEN there THEN '' ELSE 'CREATE TABLE @extschema@.evercore_schema (version integer NOT NULL); ' END
      || format('INSERT INTO @extschema@.evercore_schema (version) VALUES (%s); SELECT @extschema@.evercore_migrate(); RESET ROLE',
           CASE WHEN to_regclass('@extschema@.evercore_event_tag') IS NOT NULL THEN 4
                WHEN to_regclass('@extschema@._evercore_timeline') IS NOT NULL THEN 3
                WHEN to_regclass('@extschema@.evercore_subscription') IS NOT NULL THEN 2 ELSE 1 END);
END $$;
COMMENT ON FUNCTION _evercore_schema_version() IS 'The schema version the store is at, 0 where there is none; EV008 where that cannot be known.';

CREATE OR REPLACE FUNCTION evercore_migrate(target bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  newest integer;
  present integer;
  step record;
BEGIN
  @named@
  -- Two who migrate at once: the second waits here, and finds nothing left to do.
  IF NOT pg_is_in_recovery() THEN PERFORM _evercore_make_functions(false); END IF;
  newest := (SELECT max(m.version) FROM _evercore_migrations() m);
  present := _evercore_schema_version();
  IF present > newest THEN
    RAISE EXCEPTION 'EV008: the store has schema version %, newer than this evercore knows (%)', present, newest USING ERRCODE = 'EV008';
  END IF;
  IF target NOT BETWEEN 0 AND newest THEN
    RAISE EXCEPTION 'EV009: target is out of range: %', target USING ERRCODE = 'EV009';
  END IF;
  target := coalesce(target, newest);
  IF pg_is_in_recovery() AND target = present THEN RETURN target; END IF;
  IF target < present THEN
    LOCK TABLE evercore_aggregate, evercore_event IN EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM evercore_event) OR EXISTS (SELECT FROM evercore_aggregate a WHERE a.base > 0) THEN
      RAISE EXCEPTION 'EV010: the store holds events' USING ERRCODE = 'EV010';
    END IF;
    IF present >= 2 AND target < 2 THEN  -- without the sequence of version 2 tokens would be given again
      IF (SELECT t.is_called FROM _evercore_token t) THEN
        RAISE EXCEPTION 'EV010: the store has given tokens' USING ERRCODE = 'EV010';
      END IF;
    END IF;
  END IF;
  PERFORM set_config('search_path', '@extschema@, pg_temp', true);
  FOR step IN SELECT m.version, m.up FROM _evercore_migrations() m WHERE m.version > present AND m.version <= target ORDER BY m.version LOOP
    EXECUTE step.up;
  END LOOP;
  FOR step IN SELECT m.version, m.down FROM _evercore_migrations() m WHERE m.version > target AND m.version <= present ORDER BY m.version DESC LOOP
    EXECUTE step.down;
  END LOOP;
  PERFORM set_config('search_path', 'pg_catalog, @extschema@, pg_temp', true);
  IF target = newest AND target >= 3 THEN  -- the first version of which is known what a store is made of
    PERFORM _evercore_make_missing(), _evercore_mend_columns(), _evercore_mend_checks(), _evercore_mend_views();
    PERFORM _evercore_attach(), _evercore_grant(), _evercore_mend_indexes(), _evercore_mend_rows(), _evercore_mend_schema_paths();
    PERFORM _evercore_mend_upcast_steps(), _evercore_mend_index_by_type(), _evercore_mend_sequences(), _evercore_wake();
  ELSIF target > 0 THEN
    PERFORM _evercore_attach(), _evercore_grant();
  END IF;
  RETURN target;
END $$;
COMMENT ON FUNCTION evercore_migrate(bigint) IS 'Migrates the store up or down (default: to the newest); gives the schema version it is at.';

-- The tables of one row have theirs from the migrations: what a restore of data alone or a logical replication brings is passed
-- over, unless it is of another schema version.
CREATE OR REPLACE FUNCTION _evercore_one_row() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  there boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO there;
  IF NOT there THEN RETURN NEW; END IF;
  IF TG_TABLE_NAME = 'evercore_schema' AND to_jsonb(NEW)->>'version' <> _evercore_schema_version()::text THEN
    RAISE EXCEPTION 'EV008: the data is of schema version %, the store of %', to_jsonb(NEW)->>'version', _evercore_schema_version() USING ERRCODE = 'EV008';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_one_row() IS 'Before a second row of a table that holds one: it is passed over.';

-- Triggers. What is right already is left alone: to touch it would wait for every open append,
-- and make every later one wait.
CREATE OR REPLACE FUNCTION _evercore_triggers() RETURNS TABLE (relation text, name text, event text, level text, routine text, state "char", kind smallint)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ VALUES
  -- kind is pg_trigger.tgtype: row 1, before 2, insert 4, delete 8, update 16, truncate 32, instead 64.
  ('evercore_event', 'evercore_append_only', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', '_evercore_append_only', 'A'::"char", 58::smallint),
  ('evercore_event', 'evercore_event_replicated', 'AFTER INSERT', 'ROW', '_evercore_replicated', 'R', 5),
  ('evercore_schema', 'evercore_schema_one_row', 'BEFORE INSERT', 'ROW', '_evercore_one_row', 'A', 7),
  ('_evercore_floor', '_evercore_floor_one_row', 'BEFORE INSERT', 'ROW', '_evercore_one_row', 'A', 7),
  ('_evercore_declared', '_evercore_declared_one_row', 'BEFORE INSERT', 'ROW', '_evercore_one_row', 'A', 7),
  ('evercore_append', 'evercore_append_begin', 'BEFORE INSERT', 'STATEMENT', '_evercore_insert_begin', 'O', 6),
  ('evercore_append', 'evercore_append_row', 'INSTEAD OF INSERT', 'ROW', '_evercore_insert_row', 'O', 69),
  ('evercore_append', 'evercore_append_end', 'AFTER INSERT', 'STATEMENT', '_evercore_insert_end', 'O', 4)
$$;
COMMENT ON FUNCTION _evercore_triggers() IS 'The triggers of the store.';

CREATE OR REPLACE FUNCTION _evercore_trigger_faults() RETURNS TABLE (relation text, name text, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.relation, f.name, f.fault FROM (
    SELECT w.relation, w.name,
           CASE WHEN t.oid IS NULL THEN 'missing'
                WHEN t.tgtype <> w.kind OR t.tgqual IS NOT NULL OR t.tgnargs > 0 OR t.tgattr::text <> ''
                     OR t.tgfoid IS DISTINCT FROM to_regproc('@extschema@.' || w.routine)::oid THEN 'different'
                WHEN t.tgenabled = 'D' THEN 'disabled'
                WHEN t.tgenabled <> w.state THEN 'different' END AS fault
      FROM _evercore_triggers() w JOIN pg_class c ON c.oid = to_regclass('@extschema@.' || w.relation)
      LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name) f
   WHERE f.fault IS NOT NULL ORDER BY f.relation, f.name;
END $$;
COMMENT ON FUNCTION _evercore_trigger_faults() IS 'Triggers that are missing, different or disabled.';

CREATE OR REPLACE FUNCTION _evercore_attach() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT f.fault, w.* FROM _evercore_trigger_faults() f JOIN _evercore_triggers() w ON w.relation = f.relation AND w.name = f.name LOOP
    IF one.fault <> 'missing' THEN EXECUTE format('DROP TRIGGER %I ON @extschema@.%I', one.name, one.relation); END IF;
    EXECUTE format('CREATE TRIGGER %I %s ON @extschema@.%I FOR EACH %s EXECUTE FUNCTION @extschema@.%I()',
                   one.name, one.event, one.relation, one.level, one.routine);
    IF one.state <> 'O' THEN
      EXECUTE format('ALTER TABLE @extschema@.%I ENABLE %s TRIGGER %I', one.relation, CASE one.state WHEN 'A' THEN 'ALWAYS' ELSE 'REPLICA' END, one.name);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_attach() IS 'Makes the triggers of the store, where they are missing or wrong.';
