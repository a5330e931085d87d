-- The roles that the user let call a form that is gone may call the function of that name now (see retire.sql).
DO $evercore$
DECLARE
  given record;
BEGIN
  FOR given IN
    SELECT DISTINCT p.oid::pg_catalog.regprocedure::text AS name, g->>'privilege' AS privilege, g->>'receiver' AS receiver
      FROM pg_catalog.jsonb_path_query(nullif(pg_catalog.current_setting('evercore.retired_rights', true), '')::jsonb, '$[*][*]') g
      JOIN pg_catalog.pg_proc p ON p.proname = g->>'routine' AND p.pronamespace = '@extschema@'::pg_catalog.regnamespace
     WHERE pg_catalog.starts_with(p.proname, 'evercore_') LOOP
    EXECUTE pg_catalog.format('GRANT %s ON ROUTINE %s TO %s', given.privilege, given.name, given.receiver);
  END LOOP;
END $evercore$;
