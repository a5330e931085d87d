-- All that is there already belongs to the owner role, tables too: a restore may have made them as another one.
DO $evercore$
DECLARE
  wanted oid := pg_catalog.to_regrole('@owner@')::oid;
  lacking record;
  object record;
BEGIN
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
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c
     WHERE c.relnamespace = '@extschema@'::pg_catalog.regnamespace AND c.relname ~ '^_?evercore_' AND c.relkind IN ('r', 'p', 'v', 'S')
       AND c.relowner <> wanted
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('i', 'a')
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind = 'S') LOOP
    EXECUTE pg_catalog.format('ALTER %s %s OWNER TO @owner@', object.kind, object.name);
  END LOOP;
END $evercore$;
