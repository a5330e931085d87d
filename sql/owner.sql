-- All that is there already belongs to the owner role, tables too: a restore may have made them as another one. Of routines only those
-- that are evercore's by their whole signature, here the ones that make others and those that are to go, and all others in bootstrap.sql:
-- one that somebody planted, as SECURITY DEFINER perhaps, must not become the owner's.
DO $evercore$
DECLARE
  wanted oid := pg_catalog.to_regrole('@owner@')::oid;
  lacking record;
  object record;
BEGIN
  PERFORM pg_catalog.set_config('quote_all_identifiers', 'off', true);
  FOR lacking IN
    SELECT w.role, w.privilege FROM pg_catalog.pg_namespace n,
           (VALUES ('@owner@', 'USAGE'), ('@owner@', 'CREATE'), ('@writer@', 'USAGE'), ('@reader@', 'USAGE')) AS w (role, privilege)
     WHERE n.oid = '@extschema@'::pg_catalog.regnamespace
       AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) x
                        WHERE x.grantee = pg_catalog.to_regrole(w.role)::oid AND x.privilege_type = w.privilege) LOOP
    EXECUTE pg_catalog.format('GRANT %s ON SCHEMA @extschema@ TO %s', lacking.privilege, lacking.role);
  END LOOP;
  FOR object IN
    SELECT 'ROUTINE' AS kind, p.oid::pg_catalog.regprocedure::text AS name FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = '@extschema@'::pg_catalog.regnamespace AND p.proname ~ '^_?evercore_' AND p.proowner <> wanted
       AND (pg_catalog.format('%s(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
              IN ('_evercore_source()', '_evercore_functions()', '_evercore_function_faults()', '_evercore_forms()', '_evercore_make_functions(anew boolean)')
            OR pg_catalog.format('%s(%s) RETURNS %s', p.proname, pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid))
               = ANY (pg_catalog.string_to_array($retired$
@retired@
$retired$, E'\n')))
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
           c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c
     WHERE c.relnamespace = '@extschema@'::pg_catalog.regnamespace AND c.relname ~ '^_?evercore_' AND c.relkind IN ('r', 'p', 'v', 'S', 'c')
       AND c.relowner <> wanted
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('i', 'a')
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind = 'S') LOOP
    EXECUTE pg_catalog.format('ALTER %s %s OWNER TO @owner@', object.kind, object.name);
  END LOOP;
END $evercore$;
