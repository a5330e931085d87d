-- Migrations: the texts of migrations/postgres, which the build puts into _evercore_migrations, run in order in one
-- transaction. What hangs on functions (triggers, one view) and the rights are set after each run, so that a store whose
-- functions were dropped with an extension and made again only needs evercore_migrate() to be whole.

CREATE OR REPLACE FUNCTION _evercore_schema_version() RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF to_regclass('@extschema@.evercore_schema') IS NULL THEN RETURN 0; END IF;
  RETURN (SELECT s.version FROM evercore_schema s);
END $$;
COMMENT ON FUNCTION _evercore_schema_version() IS 'The schema version the store is at, 0 where there is none.';

CREATE OR REPLACE FUNCTION evercore_migrate(target bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  newest integer := (SELECT max(m.version) FROM _evercore_migrations() m);
  present integer;
  step record;
BEGIN
  -- Two who migrate at once: the second waits here, and finds nothing left to do.
  PERFORM pg_advisory_xact_lock(hashtextextended('evercore_migrate @extschema@', 0));
  present := _evercore_schema_version();
  IF present > newest THEN
    RAISE EXCEPTION 'EV008: the store has schema version %, newer than this evercore knows (%)', present, newest USING ERRCODE = 'EV008';
  END IF;
  IF target NOT BETWEEN 0 AND newest THEN
    RAISE EXCEPTION 'EV009: target is out of range: %', target USING ERRCODE = 'EV009';
  END IF;
  target := coalesce(target, newest);
  IF target < present THEN
    LOCK TABLE evercore_event IN EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM evercore_event) OR EXISTS (SELECT FROM evercore_aggregate a WHERE a.base > 0) THEN
      RAISE EXCEPTION 'EV010: the store holds events' USING ERRCODE = 'EV010';
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
  IF target > 0 THEN PERFORM _evercore_attach(), _evercore_grant(); END IF;
  RETURN target;
END $$;
COMMENT ON FUNCTION evercore_migrate(bigint) IS 'Migrates the store up or down (default: to the newest); gives the schema version it is at.';

CREATE OR REPLACE FUNCTION _evercore_attach() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT w.* FROM (VALUES
      ('evercore_event', 'evercore_append_only', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', '_evercore_append_only'),
      ('evercore_append', 'evercore_append_begin', 'BEFORE INSERT', 'STATEMENT', '_evercore_insert_begin'),
      ('evercore_append', 'evercore_append_row', 'INSTEAD OF INSERT', 'ROW', '_evercore_insert_row'),
      ('evercore_append', 'evercore_append_end', 'AFTER INSERT', 'STATEMENT', '_evercore_insert_end')) AS w (relation, name, event, level, routine)
     WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgname = w.name AND t.tgrelid = ('@extschema@.' || w.relation)::regclass) LOOP
    EXECUTE format('CREATE TRIGGER %I %s ON @extschema@.%I FOR EACH %s EXECUTE FUNCTION @extschema@.%I()',
                   wanted.name, wanted.event, wanted.relation, wanted.level, wanted.routine);
  END LOOP;
  ALTER TABLE evercore_event ENABLE ALWAYS TRIGGER evercore_append_only;
  CREATE OR REPLACE VIEW @extschema@.evercore_in_flight AS SELECT f.position, f.holder, f.since FROM @extschema@._evercore_in_flight() f;
  COMMENT ON VIEW evercore_in_flight IS 'The appends not yet committed that hold followers back, oldest first.';
END $$;
COMMENT ON FUNCTION _evercore_attach() IS 'Makes the triggers and the view that hang on functions, where they are missing.';
