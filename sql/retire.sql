-- What an earlier release had and this one has no more, or has in a shape that CREATE OR REPLACE cannot give it, goes before the functions
-- are made. Where an object of the user's hangs on it, nothing is done. Rights that the user gave on it are kept for regrant.sql.
DO $evercore$
DECLARE
  gone text;
  rights text;
  said text;
  hanging text;
  caller name := current_user;
BEGIN
  PERFORM pg_catalog.set_config('quote_all_identifiers', 'off', true);
  SELECT pg_catalog.string_agg(r.routine::text, ', '), pg_catalog.jsonb_agg(r.rights) FILTER (WHERE r.rights IS NOT NULL) INTO gone, rights FROM (
    SELECT p.oid::pg_catalog.regprocedure AS routine,
           (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('routine', p.proname, 'privilege', g.privilege, 'receiver', g.receiver))
              FROM @given(p.proacl; p.proowner)@ g
             WHERE g.grantee NOT IN (0, pg_catalog.to_regrole('@owner@'), pg_catalog.to_regrole('@writer@'), pg_catalog.to_regrole('@reader@'))) AS rights
      FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = pg_catalog.to_regnamespace('@extschema@') AND p.proname ~ '^_?evercore_'
       AND pg_catalog.format('%s(%s) RETURNS %s', p.proname, pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid))
           = ANY (pg_catalog.string_to_array($retired$
@retired@
$retired$, E'\n'))) r;
  PERFORM pg_catalog.set_config('evercore.retired_rights', coalesce(rights, ''), true);
  IF gone IS NULL THEN RETURN; END IF;
  -- Dropped as their owner: the installing role may be a member of that role without its rights (NOINHERIT).
  SET LOCAL ROLE @owner@;
  EXECUTE 'DROP ROUTINE ' || gone;
  EXECUTE pg_catalog.format('SET LOCAL ROLE %I', caller);
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hanging = PG_EXCEPTION_DETAIL;
  IF hanging = '' THEN
    RAISE EXCEPTION 'EV010: %', said USING ERRCODE = 'EV010', HINT = 'An extension is upgraded by ALTER EXTENSION evercore UPDATE.';
  END IF;
  RAISE EXCEPTION 'EV010: functions that this version has no more are in use: %', hanging
    USING ERRCODE = 'EV010', HINT = 'Drop these objects, upgrade, and make them again with the functions of this version.';
END $evercore$;
