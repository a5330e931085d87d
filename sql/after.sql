-- After everything else: all of it belongs to the owner role, and the rights are given.
DO $evercore$
DECLARE
  routine record;
BEGIN
  GRANT USAGE, CREATE ON SCHEMA @extschema@ TO @owner@;
  GRANT USAGE ON SCHEMA @extschema@ TO @writer@, @reader@;
  FOR routine IN
    SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = '@extschema@'::pg_catalog.regnamespace AND p.proname ~ '^_?evercore_'
       AND p.proowner <> pg_catalog.to_regrole('@owner@')::oid LOOP
    EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO @owner@', routine.signature);
  END LOOP;
  PERFORM @extschema@._evercore_grant();
END $evercore$;
