-- As the owner role from here on: the functions that make functions, and then, by them, all others. What is as it should be is left
-- alone.
DO $evercore$
DECLARE
  source text := $source$
@source@
$source$;
  piece text;
  body text;
  signature text;
  caller name := current_user;
  ours oid[];
  other text;
BEGIN
  SET LOCAL ROLE @owner@;
  PERFORM pg_catalog.set_config('check_function_bodies', 'off', true), pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  body := format('FUNCTION @extschema@._evercore_source() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $made$ SELECT $functions$%s$functions$::text $made$;
COMMENT ON FUNCTION @extschema@._evercore_source() IS ''The text that the functions of the store are made from.'';', source);
  FOREACH piece IN ARRAY ARRAY[body] || regexp_split_to_array($machinery$
@machinery@
$machinery$, E'\\nCREATE OR REPLACE (?=FUNCTION)') LOOP
    CONTINUE WHEN NOT starts_with(piece, 'FUNCTION');
    body := substring(piece FROM E'\\sAS (\\$\\w*\\$)');
    signature := CASE body WHEN '$made$' THEN '_evercore_source()'
                           ELSE substring(piece FROM E'\\nCOMMENT ON FUNCTION [^\\n]*?(_evercore_\\w+\\(\\w*\\))\\s+IS\\s') END;
    body := CASE body WHEN '$made$' THEN split_part(split_part(piece, ' $made$;', 1), ' AS $made$', 2) || ' ' ELSE split_part(piece, body, 2) END;
    CONTINUE WHEN NOT @anew@ AND EXISTS (
      SELECT FROM pg_proc p WHERE p.oid = to_regprocedure('@extschema@.' || signature) AND p.prosrc = body AND NOT p.prosecdef
         AND 'search_path=pg_catalog, ' || quote_ident((parse_ident('@extschema@'))[1]) || ', pg_temp' = ANY (p.proconfig));
    EXECUTE CASE WHEN @anew@ THEN 'CREATE ' ELSE 'CREATE OR REPLACE ' END || piece;
  END LOOP;
  -- What a restore made as another role becomes the owner's, and nothing but what is evercore's by its whole signature; see owner.sql.
  ours := ARRAY(SELECT to_regprocedure('@extschema@.' || f.signature)::oid FROM @extschema@._evercore_functions() f);
  EXECUTE format('SET LOCAL ROLE %I', caller);
  FOR other IN SELECT p.oid::regprocedure::text FROM pg_proc p
                WHERE p.oid = ANY (ours) AND p.proowner <> to_regrole('@owner@')::oid LOOP
    EXECUTE format('ALTER ROUTINE %s OWNER TO @owner@', other);
  END LOOP;
  SET LOCAL ROLE @owner@;
  PERFORM @extschema@._evercore_make_functions(@anew@);
  PERFORM @extschema@._evercore_grant();
END $evercore$;
