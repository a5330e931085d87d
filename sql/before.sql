-- Before anything else: the ground is fit, the roles are there, the schema is there.
DO $evercore$
DECLARE
  wanted name;
  waits text := pg_catalog.current_setting('lock_timeout');
BEGIN
  IF current_setting('server_version_num')::integer < 140000 THEN
    RAISE EXCEPTION 'evercore needs PostgreSQL 14 or newer, not %', current_setting('server_version');
  ELSIF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'evercore needs a database in UTF8, not %', current_setting('server_encoding');
  END IF;
  -- Two who install at once would trip over each other's functions. Anyone can hold this key: it is waited for so long and no longer.
  BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', CASE waits WHEN '0' THEN '60s' ELSE waits END, true);
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('evercore install', 0));
    PERFORM pg_catalog.set_config('lock_timeout', waits, true);
  EXCEPTION WHEN lock_not_available THEN
    NULL;
  END;
  FOREACH wanted IN ARRAY pg_catalog.parse_ident('@owner@') || pg_catalog.parse_ident('@writer@') || pg_catalog.parse_ident('@reader@') LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = wanted) THEN
      BEGIN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
  END LOOP;
  -- From 16 on who makes a role is a member of it without being able to act as it.
  IF NOT pg_catalog.pg_has_role(current_user, pg_catalog.to_regrole('@owner@')::oid,
                                CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    EXECUTE pg_catalog.format('GRANT @owner@ TO %I', current_user);
  END IF;
  -- evercore_in_flight can say since when a transaction of someone else is open only with this; it does without.
  BEGIN
    IF NOT pg_catalog.pg_has_role(pg_catalog.to_regrole('@owner@')::oid, 'pg_read_all_stats', 'MEMBER') THEN
      GRANT pg_read_all_stats TO @owner@;
    END IF;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
END $evercore$;
