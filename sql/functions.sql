-- What the store's functions are: the text that they are made from, which the build puts into _evercore_source, cut into one row a
-- function. evercore_check() compares the catalogue with it, evercore_migrate() and sql/install make again what differs, and touch
-- nothing else: each CREATE OR REPLACE makes every session compile the function again.

CREATE OR REPLACE FUNCTION _evercore_functions() RETURNS TABLE (signature text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT substring(split_part(s.piece, E'\nCOMMENT ON ', -1) FROM E'^(?:FUNCTION|AGGREGATE) [^\\n]*?(_?evercore_\\w+\\([^\\n]*\\))\\s+IS\\s'), s.piece
    FROM (SELECT unnest(string_to_array(replace(replace(_evercore_source(), E'\nCREATE OR REPLACE FUNCTION ', E'\x01FUNCTION '),
                                                E'\nCREATE OR REPLACE AGGREGATE ', E'\x01AGGREGATE '), E'\x01')) AS piece
          UNION ALL SELECT f.statement FROM _evercore_forms() f) s
   WHERE s.piece ~ '^(FUNCTION|AGGREGATE) ';
END $$;
COMMENT ON FUNCTION _evercore_functions() IS 'The functions of the store, each with what follows CREATE OR REPLACE.';

-- Body, arguments, result, attributes, settings and comment. Casts of defaults and long names of types are the server's.
CREATE OR REPLACE FUNCTION _evercore_function_faults() RETURNS TABLE (signature text, statement text, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
BEGIN
  RETURN QUERY
  WITH written AS (
    SELECT f.signature, f.statement, to_regprocedure('@extschema@.' || f.signature)::oid AS id, substring(f.statement FROM E'\\sAS (\\$\\w*\\$)') AS mark
      FROM _evercore_functions() f
  ), parts AS (
    SELECT w.*, split_part(split_part(w.statement, w.mark, 1), E'\nLANGUAGE ', 1) AS head,
           regexp_replace(split_part(split_part(w.statement, ' AS ' || w.mark, 1), E'\nLANGUAGE ', 2), E'\\s+', ' ', 'g') AS attributes,
           split_part(w.statement, w.mark, 2) AS body, split_part(w.statement, w.mark, 3) AS rest
      FROM written w WHERE w.mark IS NOT NULL
  ), wanted AS (
    SELECT p.signature, p.statement, p.id, p.body, substring(p.rest FROM E'COMMENT ON [^\\n]*\\)\\s+IS\\s+(''(?:[^'']|'''')*'')') AS comment,
           regexp_replace(regexp_replace(replace(p.head, '"', ''), E'^FUNCTION .*?evercore_\\w+\\(', ''), E'\\s', '', 'g') AS head,
           replace(replace(p.attributes, ' PARALLEL UNSAFE', ''), '"', '') AS attributes
      FROM parts p
    UNION ALL
    SELECT w.signature, w.statement, w.id, '', substring(w.statement FROM E'COMMENT ON [^\\n]*\\)\\s+IS\\s+(''(?:[^'']|'''')*'')'), '',
           regexp_replace(replace(replace(split_part(w.statement, ';', 1), 'pg_catalog.', ''), '@extschema@.', ''), E'^.*?\\) ', '')
      FROM written w WHERE w.mark IS NULL
  ), present AS (
    -- A function of evercore_native of this version stands for the one in SQL, which is beside it.
    SELECT c.oid AS id, CASE WHEN c.prokind = 'a' THEN '' WHEN n.name IS NULL THEN c.prosrc END AS body,
           CASE c.prokind WHEN 'a' THEN '' ELSE regexp_replace(replace(replace(replace(regexp_replace(
             pg_get_function_arguments(c.oid) || ')' || coalesce('RETURNS' || nullif(pg_get_function_result(c.oid), 'record'), ''),
             '(DEFAULT [^ ,):]*)::[a-z ]+', E'\\1', 'g'), 'timestamp with time zone', 'timestamptz'), 'timestamp without time zone', 'timestamp'), '"', ''),
             E'\\s', '', 'g') END AS head,
           CASE WHEN c.prokind = 'a' AND a.aggkind = 'n' THEN
             format('(SFUNC = %s, STYPE = %s, INITCOND = %L)', a.aggtransfn::regproc, a.aggtranstype::regtype, a.agginitval)
               || CASE WHEN (a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggsortop) <> (0, 0, 0, 0) THEN ' more' ELSE '' END
           ELSE CASE WHEN n.name IS NULL THEN l.lanname ELSE 'plpgsql' END || ' ' || CASE c.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END
             || CASE c.proparallel WHEN 's' THEN ' PARALLEL SAFE' WHEN 'r' THEN ' PARALLEL RESTRICTED' ELSE '' END
             || CASE WHEN c.prosecdef THEN ' SECURITY DEFINER' ELSE '' END || CASE WHEN c.proisstrict THEN ' STRICT' ELSE '' END
             || CASE WHEN c.proleakproof THEN ' LEAKPROOF' ELSE '' END || CASE WHEN c.procost <> 100 THEN ' COST ' || c.procost ELSE '' END
             || CASE WHEN c.prorows <> CASE WHEN c.proretset THEN 1000 ELSE 0 END THEN ' ROWS ' || c.prorows ELSE '' END
             || coalesce((SELECT string_agg(' SET ' || replace(regexp_replace(s.setting, '=', ' = '), '"', ''), '' ORDER BY s.no)
                            FROM unnest(c.proconfig) WITH ORDINALITY AS s (setting, no)), '')
             || CASE WHEN c.prokind <> 'f' OR c.prosupport <> 0 THEN ' more' ELSE '' END END AS attributes
      FROM pg_proc c JOIN pg_language l ON l.oid = c.prolang LEFT JOIN pg_aggregate a ON a.aggfnoid = c.oid
      LEFT JOIN to_regprocedure('@extschema@._evercore_native_name()') AS n (name) ON l.lanname = 'c' AND c.probin = '$libdir/evercore_native-@version@'
     WHERE c.pronamespace = '@extschema@'::regnamespace
  )
  SELECT w.signature, w.statement,
         CASE WHEN p.id IS NULL THEN 'missing'
              WHEN (coalesce(p.body, w.body), p.head, p.attributes) IS DISTINCT FROM (w.body, w.head, w.attributes)
                   OR quote_literal(obj_description(p.id, 'pg_proc')) IS DISTINCT FROM w.comment THEN 'different' END
    FROM wanted w LEFT JOIN present p ON p.id = w.id
  UNION ALL
  SELECT c.oid::regprocedure::text, NULL, 'not evercore''s'
    FROM pg_proc c
   WHERE c.pronamespace = '@extschema@'::regnamespace AND c.proname IN (SELECT split_part(w.signature, '(', 1) FROM wanted w)
     AND c.oid NOT IN (SELECT w.id FROM wanted w WHERE w.id IS NOT NULL);
END $$;
COMMENT ON FUNCTION _evercore_function_faults() IS
  'The functions of the store, and which of them are missing or different; and others that bear their names, which have no statement.';

-- `anew` is for the script of an extension, which takes nothing for its own that was there before.
CREATE OR REPLACE FUNCTION _evercore_make_functions(anew boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp SET check_function_bodies = off AS $$
DECLARE
  one record;
  rights text[];
  given text;
BEGIN
  -- Two who do this at once: the second waits for a lock that only the owner can take, once there is something to lock.
  IF to_regclass('@extschema@.evercore_schema') IS NOT NULL THEN LOCK TABLE @extschema@.evercore_schema IN SHARE UPDATE EXCLUSIVE MODE; END IF;
  FOR one IN SELECT f.* FROM (SELECT x.* FROM _evercore_function_faults() x ORDER BY starts_with(x.statement, 'AGGREGATE'), x.signature COLLATE "C") f
              WHERE f.statement IS NOT NULL
                AND CASE WHEN anew THEN NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
                                                       AND d.objid = to_regprocedure('@extschema@.' || f.signature)::oid)
                         ELSE f.fault IS NOT NULL END LOOP
    BEGIN
      EXECUTE CASE WHEN anew THEN 'CREATE ' ELSE 'CREATE OR REPLACE ' END || one.statement;
    EXCEPTION WHEN invalid_function_definition OR wrong_object_type THEN
      IF anew THEN RAISE; END IF;
      -- The roles that the user let call it may call the new one as well.
      rights := ARRAY(SELECT format('GRANT %s ON ROUTINE @extschema@.%s TO %s', g.privilege, one.signature, g.receiver)
                        FROM pg_proc p, LATERAL @given(p.proacl; p.proowner)@ g
                       WHERE p.oid = to_regprocedure('@extschema@.' || one.signature) AND g.grantee <> 0);
      EXECUTE 'DROP ROUTINE @extschema@.' || one.signature;
      EXECUTE 'CREATE ' || one.statement;
      FOREACH given IN ARRAY rights LOOP EXECUTE given; END LOOP;
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_make_functions(boolean) IS 'Makes the functions that are missing or different.';
