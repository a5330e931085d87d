-- What is declared of aggregate types: what their states must be. Snapshot policies, which stand in the same row, are in snapshot.sql.

-- With the caller's rights: what changes the schema is the owner's.
CREATE OR REPLACE FUNCTION evercore_aggregate_type(name text, options text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @not_renamed@
  IF _evercore_declares_states(name, options) THEN RETURN name; END IF;
  IF NOT has_function_privilege('@extschema@._evercore_declare_states(text, text)', 'EXECUTE') THEN
    RAISE EXCEPTION 'permission denied to declare a schema of "%": let the owner of the store run %', name,
      format('SELECT %I.evercore_aggregate_type(%L, %L)', (parse_ident('@extschema@'))[1], name, options) USING ERRCODE = '42501';
  END IF;
  PERFORM _evercore_declare_states(name, options);
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_aggregate_type(text, text) IS
  'Declares what the state of an aggregate type must be after each event; what the options do not name stays as it is.';

CREATE OR REPLACE FUNCTION evercore_aggregate_type(name text, options anyelement) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @not_renamed@
  RETURN evercore_aggregate_type(name, _evercore_options_text(options));
END $$;
COMMENT ON FUNCTION evercore_aggregate_type(text, anyelement) IS 'As the form that takes text.';

CREATE OR REPLACE FUNCTION _evercore_declares_states(type text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
DECLARE
  member text;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(type, 'aggregate_type', @max_name@);
  IF options IS NULL THEN RETURN true; END IF;
  PERFORM _evercore_payload(options COLLATE "C", 'options');
  FOR member IN SELECT json_object_keys(options::json) LOOP
    IF member <> 'schema' THEN PERFORM _evercore_refuse('EV009', 'options: unknown member "' || member || '"'); END IF;
  END LOOP;
  PERFORM _evercore_option_schema(options);
  RETURN NOT _evercore_changes_states(type, options);
END $$;
COMMENT ON FUNCTION _evercore_declares_states(text, text) IS 'Whether an aggregate type declares already what the options say; EV004, EV005, EV009.';

CREATE OR REPLACE FUNCTION _evercore_changes_states(type text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared text := options::json->'schema';
BEGIN
  RETURN declared IS NOT NULL
     AND nullif(declared, 'null') IS DISTINCT FROM (SELECT t.schema::text FROM evercore_aggregate_type t WHERE t.name = type COLLATE "C");
END $$;
COMMENT ON FUNCTION _evercore_changes_states(text, text) IS 'Whether options change the schema of an aggregate type.';

-- Does not check the states that are stored already.
CREATE OR REPLACE FUNCTION _evercore_declare_states(type text, options text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
DECLARE
  declared json;
  kind integer;
  checked boolean;
BEGIN
  @home@
  IF _evercore_declares_states(type, options) THEN RETURN; END IF;
  declared := nullif((options::json->'schema')::text, 'null');
  PERFORM _evercore_read_committed('declaring'), _evercore_await_aggregate_type(type), _evercore_enter_declaration();
  IF NOT _evercore_changes_states(type, options) THEN RETURN; END IF;  -- another declared it meanwhile
  kind := _evercore_aggregate_type(type);
  checked := (SELECT t.schema IS NOT NULL FROM evercore_aggregate_type t WHERE t.type_id = kind);
  UPDATE evercore_aggregate_type t SET schema = declared, schema_path = _evercore_schema_path(declared) WHERE t.type_id = kind;
  PERFORM _evercore_declaration_written(FOUND, 'evercore_aggregate_type');
  IF declared IS NULL THEN
    DELETE FROM evercore_kept_state k USING evercore_aggregate a WHERE a.aggregate_id = k.aggregate_id AND a.type_id = kind;
    UPDATE evercore_aggregate_type t SET filled_to = 0, unfilled = 0 WHERE t.type_id = kind;
    PERFORM _evercore_declaration_written(FOUND, 'evercore_aggregate_type');
    RETURN;
  END IF;
  PERFORM _evercore_mark(@checks_states@);
  IF NOT checked THEN PERFORM _evercore_keep_states_of(kind); END IF;
END $$;
COMMENT ON FUNCTION _evercore_declare_states(text, text) IS 'Declares the schema of an aggregate type''s states, and keeps those that are there.';
