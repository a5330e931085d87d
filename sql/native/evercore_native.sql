-- CREATE EXTENSION evercore_native: in each store of the database functions of the module take the places of those in SQL, which stay beside
-- them as _evercore_sql_… and do what is not plain.
--
-- All text that is run here comes from this script: what an owner left in a store's functions is read, and never run with a
-- superuser's rights. A function that is replaced keeps its owner, its rights, and the extension that it belongs to.

-- The functions that the module has: of each what follows CREATE OR REPLACE, with its comment. @store@ stands for the store's schema.
CREATE FUNCTION source() RETURNS TABLE (name text, signature text, statement text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $list$
  SELECT substring(s.piece FROM E'^FUNCTION @store@[.](\\w+)'), substring(s.piece FROM E'COMMENT ON FUNCTION @store@[.](\\w+\\([^\\n]*\\))\\s+IS\\s'), s.piece
    FROM unnest(string_to_array(replace($source$
@functions@
$source$, E'\nCREATE OR REPLACE FUNCTION ', E'\x01FUNCTION '), E'\x01')) AS s (piece)
   WHERE starts_with(s.piece, 'FUNCTION ')
$list$;
COMMENT ON FUNCTION source() IS 'The functions that the module has, in SQL.';

-- The stores of this database: schema and owner, the schema's name as the store's functions have it, and the version that they are of.
CREATE FUNCTION stores() RETURNS TABLE (schema name, owner regrole, made_for text, version text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
  SELECT n.nspname, f.proowner::regrole,
         (SELECT q FROM unnest(ARRAY[quote_ident(n.nspname), '"' || replace(n.nspname, '"', '""') || '"']) AS q
           WHERE position(format('hashtext(%L)', q) IN f.prosrc) > 0 LIMIT 1),
         substring(v.prosrc FROM E'''([^'']*)''::text')
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace JOIN pg_proc v ON v.pronamespace = n.oid AND v.proname = 'evercore_version'
   WHERE f.proname = '_evercore_hold_floor'
     -- A function that is not there would be made anew, and be the superuser's: whoever may make a schema could ask for that.
     AND NOT EXISTS (SELECT FROM evercore_native.source() s
                      WHERE (SELECT p.proowner FROM pg_proc p WHERE p.prokind = 'f' AND p.oid = to_regprocedure(format('%I.%s', n.nspname, s.signature))) IS DISTINCT FROM f.proowner)
$$;
COMMENT ON FUNCTION stores() IS 'The stores of this database.';

-- The script of an extension may only touch what belongs to it: there the function is its own for as long as it takes.
CREATE FUNCTION make_function(signature text, statement text, belongs_to name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET check_function_bodies = off AS $body$
DECLARE
  there regprocedure := to_regprocedure(signature);
  owner name;
BEGIN
  FOR owner IN SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = there AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' LOOP
    EXECUTE format('ALTER EXTENSION %I DROP FUNCTION %s', owner, signature);
  END LOOP;
  IF there IS NOT NULL THEN EXECUTE format('ALTER EXTENSION evercore_native ADD FUNCTION %s', signature); END IF;
  EXECUTE 'CREATE OR REPLACE ' || statement;
  IF there IS NULL AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'evercore_native'
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = to_regprocedure(signature)::oid AND d.deptype = 'e') THEN
    EXECUTE format('ALTER EXTENSION evercore_native ADD FUNCTION %s', signature);
  END IF;
  EXECUTE format('ALTER EXTENSION evercore_native DROP FUNCTION %s', signature);
  IF belongs_to IS NOT NULL THEN EXECUTE format('ALTER EXTENSION %I ADD FUNCTION %s', belongs_to, signature); END IF;
END $body$;
COMMENT ON FUNCTION make_function(text, text, name) IS 'Makes a function, or makes it anew, as a part of an extension or of none.';

-- The extension that a store is a part of, NULL for one that a script installed.
CREATE FUNCTION extension_of(store name) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid JOIN pg_proc f ON f.oid = d.objid
   WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
     AND f.pronamespace = to_regnamespace(quote_ident(store)) AND f.proname = '_evercore_hold_floor'
$$;
COMMENT ON FUNCTION extension_of(name) IS 'The extension that a store is a part of.';

-- Of what a store of an extension has beside it this extension is the owner, so that a dump leaves it out; what stands in a store of a script
-- is dumped with it.
CREATE FUNCTION replace_functions() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  store record;
  one record;
  beside text;
  made text;
  belongs_to name;
  replaced bigint := 0;
BEGIN
  FOR store IN SELECT * FROM evercore_native.stores() LOOP
    IF store.version IS DISTINCT FROM '@version@' OR store.made_for IS NULL THEN
      RAISE WARNING 'evercore_native: the store % is of version %, and not of @version@: left as it is', store.schema, store.version;
      CONTINUE;
    END IF;
    belongs_to := evercore_native.extension_of(store.schema);
    made := 'FUNCTION ' || store.made_for || '._evercore_native_name() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS '
            || quote_literal('SELECT ' || quote_literal(store.made_for) || '::text');
    beside := CASE WHEN belongs_to IS NOT NULL THEN 'evercore_native' END;
    PERFORM evercore_native.make_function(store.made_for || '._evercore_native_name()', made, beside);
    FOR one IN SELECT s.name, replace(s.statement, '@store@', store.made_for) AS statement, s.signature FROM evercore_native.source() s LOOP
      made := regexp_replace(one.name, '^_?evercore_', '_evercore_sql_');
      -- Called by the module alone, which runs as the owner and with these settings already.
      PERFORM evercore_native.make_function(store.made_for || '.' || replace(one.signature, one.name || '(', made || '('),
        regexp_replace(replace(one.statement, one.name || '(', made || '('), E' SECURITY DEFINER SET [^$]* AS \\$\\$', ' AS $$'), beside);
      EXECUTE format('ALTER FUNCTION %s.%s OWNER TO %s', store.made_for, replace(one.signature, one.name || '(', made || '('), store.owner);
      EXECUTE format('REVOKE ALL ON FUNCTION %s.%s FROM PUBLIC', store.made_for, replace(one.signature, one.name || '(', made || '('));
      PERFORM evercore_native.make_function(store.made_for || '.' || one.signature,
        replace(split_part(one.statement, ' AS $$', 1), E'\nLANGUAGE plpgsql ', E'\nLANGUAGE c COST 100 ') || format(' AS %L, %L', 'MODULE_PATHNAME', one.name),
        belongs_to);
    END LOOP;
    made := store.made_for || '._evercore_native_name()';
    EXECUTE format('ALTER FUNCTION %s OWNER TO %s', made, store.owner);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', made, 'The name of the schema as the functions of the store have it.');
    replaced := replaced + 1;
  END LOOP;
  RETURN replaced;
END $body$;
COMMENT ON FUNCTION replace_functions() IS 'Puts the functions of the module into each store of the database; gives how many stores. To be called for stores that were made after it.';

CREATE FUNCTION restore_functions() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  store record;
  one record;
  beside text;
  belongs_to name;
  restored bigint := 0;
BEGIN
  FOR store IN SELECT * FROM evercore_native.stores() s
                WHERE to_regprocedure(s.made_for || '._evercore_native_name()') IS NOT NULL AND s.version = '@version@' LOOP
    belongs_to := evercore_native.extension_of(store.schema);
    FOR one IN SELECT s.name, replace(s.statement, '@store@', store.made_for) AS statement, s.signature FROM evercore_native.source() s LOOP
      PERFORM evercore_native.make_function(store.made_for || '.' || one.signature, one.statement, belongs_to);
      beside := store.made_for || '.' || replace(one.signature, one.name || '(', regexp_replace(one.name, '^_?evercore_', '_evercore_sql_') || '(');
      IF belongs_to IS NOT NULL THEN EXECUTE format('ALTER EXTENSION evercore_native DROP FUNCTION %s', beside); END IF;
      EXECUTE 'DROP FUNCTION ' || beside;
    END LOOP;
    beside := store.made_for || '._evercore_native_name()';
    IF belongs_to IS NOT NULL THEN EXECUTE format('ALTER EXTENSION evercore_native DROP FUNCTION %s', beside); END IF;
    EXECUTE 'DROP FUNCTION ' || beside;
    restored := restored + 1;
  END LOOP;
  RETURN restored;
END $body$;
COMMENT ON FUNCTION restore_functions() IS 'Puts the functions in SQL back into each store of the database; gives how many stores.';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA evercore_native FROM PUBLIC;

CREATE FUNCTION before_drop() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'evercore_native_before_drop';
COMMENT ON FUNCTION before_drop() IS 'Before DROP EXTENSION evercore_native: restore_functions().';
CREATE EVENT TRIGGER evercore_native_before_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION') EXECUTE FUNCTION before_drop();

SELECT replace_functions();
