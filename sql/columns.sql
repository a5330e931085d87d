-- The columns and CHECKs of the store's tables, as the server prints them.

CREATE OR REPLACE FUNCTION _evercore_columns() RETURNS TABLE (relation text, name text, type text, required boolean, standard text, identity boolean)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT t.relation, p.part[1], p.part[2], p.part[3] IS NOT NULL, p.part[4], p.part[5] IS NOT NULL
    FROM (VALUES
      ('_evercore_declared', 'one_row boolean NOT NULL DEFAULT true, generation bigint NOT NULL, by_type boolean NOT NULL DEFAULT false'),
      ('_evercore_floor', 'floor bigint NOT NULL, published_at timestamp with time zone NOT NULL'),
      ('_evercore_pending', 'depth integer NOT NULL, part integer NOT NULL, rows text NOT NULL'),
      ('evercore_aggregate', 'aggregate_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY, sequence bigint NOT NULL DEFAULT 0, base bigint NOT NULL DEFAULT 0,
        type_id integer NOT NULL, erased boolean NOT NULL DEFAULT false, natural_key text COLLATE "C", base_position bigint,
        first_event_time timestamp with time zone, base_event_time timestamp with time zone, newest_removed timestamp with time zone'),
      ('evercore_aggregate_type', 'type_id integer NOT NULL GENERATED ALWAYS AS IDENTITY, name text COLLATE "C" NOT NULL,
        snapshot_every bigint NOT NULL DEFAULT 0, snapshot_keep bigint NOT NULL DEFAULT 1, schema json, schema_path jsonpath,
        filled_to bigint NOT NULL DEFAULT 0, unfilled bigint NOT NULL DEFAULT 0'),
      ('evercore_compacted_type', 'aggregate_id bigint NOT NULL, event_type text COLLATE "C" NOT NULL, position bigint NOT NULL'),
      ('evercore_event', 'position bigint NOT NULL GENERATED ALWAYS AS IDENTITY, aggregate_id bigint NOT NULL, sequence bigint NOT NULL,
        recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(), event_type text COLLATE "C" NOT NULL, data json NOT NULL,
        event_time timestamp with time zone, reference text, metadata json, event_id text COLLATE "C", tags json, declared_tags integer'),
      ('evercore_event_id', 'event_id text COLLATE "C" NOT NULL, aggregate_id bigint NOT NULL, sequence bigint NOT NULL, position bigint NOT NULL,
        event_type text COLLATE "C" NOT NULL, digest bytea'),
      ('evercore_event_tag', 'tag text COLLATE "C" NOT NULL, event_type text COLLATE "C" NOT NULL, position bigint NOT NULL'),
      ('evercore_event_type', 'name text COLLATE "C" NOT NULL, fold text NOT NULL, rules json, declares_merge boolean NOT NULL DEFAULT false, schema json, upcast json, schema_path jsonpath, tags json,
        filled_to bigint NOT NULL DEFAULT 0, upcast_steps text[], unfilled bigint NOT NULL DEFAULT 0'),
      ('evercore_kept_state', 'aggregate_id bigint NOT NULL, sequence bigint NOT NULL, state json NOT NULL'),
      ('evercore_schema', 'version integer NOT NULL'),
      ('evercore_snapshot', 'aggregate_id bigint NOT NULL, sequence bigint NOT NULL, version bigint, state json NOT NULL,
        recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(), snapshot_id uuid NOT NULL DEFAULT gen_random_uuid()'),
      ('evercore_subscription', 'subscription_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY, name text COLLATE "C" NOT NULL, filter text,
        filter_version bigint NOT NULL DEFAULT 1, aggregate_type text COLLATE "C", natural_key text COLLATE "C", event_types text[] COLLATE "C",
        partitions integer NOT NULL, start_position bigint NOT NULL, active boolean NOT NULL DEFAULT true, tags jsonb'),
      ('evercore_subscription_partition', 'subscription_id bigint NOT NULL, partition integer NOT NULL, position bigint NOT NULL,
        token bigint NOT NULL DEFAULT 0, owner text, lease interval, lease_expires_at timestamp with time zone, seen bigint, seen_filter bigint,
        untouched boolean NOT NULL DEFAULT false, last_error text')) AS t (relation, columns),
    LATERAL regexp_split_to_table(t.columns, E',\\s+') AS c (definition),
    LATERAL regexp_match(c.definition, E'^(\\w+) (.*?)( NOT NULL)?(?: DEFAULT (\\S+))?( GENERATED ALWAYS AS IDENTITY)?$') AS p (part);
END $$;
COMMENT ON FUNCTION _evercore_columns() IS 'The columns of the store''s tables.';

-- A CHECK that is missing or different is a fault as well: it decides which rows the table takes from then on.
CREATE OR REPLACE FUNCTION _evercore_checks() RETURNS TABLE (relation text, name text, definition text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ VALUES
  ('_evercore_declared', '_evercore_declared_one_row_check', 'CHECK (one_row)'),
  ('evercore_event_type', 'evercore_event_type_fold_check', 'CHECK ((fold = ANY (ARRAY[''merge''::text, ''patch''::text, ''custom''::text, ''rules''::text])))')
$$;
COMMENT ON FUNCTION _evercore_checks() IS 'The CHECKs of the store''s tables.';

CREATE OR REPLACE FUNCTION _evercore_column_faults() RETURNS TABLE (relation text, name text, fault text, wanted jsonb, present jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.relation, f.name, CASE WHEN f.present IS NULL THEN 'missing' ELSE 'different' END, f.wanted, f.present FROM (
    SELECT w.relation, w.name,
           jsonb_build_object('type', w.type, 'required', w.required, 'standard', w.standard, 'identity', CASE WHEN w.identity THEN 'a' ELSE '' END,
                              'generated', '') AS wanted,
           (SELECT jsonb_build_object('type', format_type(a.atttypid, a.atttypmod)
                       || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || quote_ident(c.collname) ELSE '' END,
                     'required', a.attnotnull, 'standard', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated)
              FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = r.oid AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped) AS present
      FROM _evercore_columns() w JOIN pg_class r ON r.oid = to_regclass('@extschema@.' || w.relation)) f
   WHERE f.present IS DISTINCT FROM f.wanted ORDER BY f.relation, f.name;
END $$;
COMMENT ON FUNCTION _evercore_column_faults() IS 'Columns that are missing or different.';

CREATE OR REPLACE FUNCTION _evercore_check_faults() RETURNS TABLE (relation text, name text, definition text, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.relation, f.name, f.definition, f.fault FROM (
    SELECT w.*, CASE WHEN c.oid IS NULL THEN 'missing' WHEN NOT c.convalidated THEN 'invalid'
                     WHEN pg_get_constraintdef(c.oid) <> w.definition THEN 'different' END AS fault
      FROM _evercore_checks() w JOIN pg_class r ON r.oid = to_regclass('@extschema@.' || w.relation)
      LEFT JOIN pg_constraint c ON c.conrelid = r.oid AND c.conname = w.name) f
   WHERE f.fault IS NOT NULL ORDER BY f.name;
END $$;
COMMENT ON FUNCTION _evercore_check_faults() IS 'CHECKs that are missing, different or invalid.';

-- What a column held is not brought back: one that is gone comes back empty, where it may be.
CREATE OR REPLACE FUNCTION _evercore_mend_columns() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  part record;
  reason text;
BEGIN
  FOR one IN SELECT f.*, format('ALTER TABLE @extschema@.%I ', f.relation) AS alter_table, format('ALTER COLUMN %I ', f.name) AS alter_column,
                    f.relation || '_' || f.name || '_seq' AS draws
               FROM _evercore_column_faults() f LOOP
    BEGIN
      IF one.present IS NULL THEN
        EXECUTE one.alter_table || format('ADD COLUMN %I %s', one.name, one.wanted->>'type')
                || CASE WHEN (one.wanted->>'required')::boolean THEN ' NOT NULL' ELSE '' END
                || coalesce(' DEFAULT ' || (one.wanted->>'standard'), '')
                || CASE one.wanted->>'identity' WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END;
        CONTINUE;
      END IF;
      FOR part IN SELECT w.key, w.value FROM jsonb_each_text(one.wanted) w
                   WHERE w.value IS DISTINCT FROM one.present->>w.key
                   ORDER BY w.key = 'identity' AND w.value = '' DESC, array_position('{generated,type,standard,required,identity}', w.key) LOOP
        CASE part.key
        WHEN 'generated' THEN EXECUTE one.alter_table || one.alter_column || 'DROP EXPRESSION';
        WHEN 'type' THEN
          IF one.present->>'standard' IS NOT NULL THEN EXECUTE one.alter_table || one.alter_column || 'DROP DEFAULT'; END IF;
          PERFORM _evercore_drop_views();
          EXECUTE one.alter_table || one.alter_column || format('TYPE %s USING %I::%s', part.value, one.name, split_part(part.value, ' COLLATE', 1));
          IF one.wanted->>'standard' IS NOT NULL THEN EXECUTE one.alter_table || one.alter_column || 'SET DEFAULT ' || (one.wanted->>'standard'); END IF;
        WHEN 'standard' THEN EXECUTE one.alter_table || one.alter_column || coalesce('SET DEFAULT ' || part.value, 'DROP DEFAULT');
        WHEN 'required' THEN EXECUTE one.alter_table || one.alter_column || CASE WHEN part.value::boolean THEN 'SET' ELSE 'DROP' END || ' NOT NULL';
        ELSE PERFORM _evercore_mend_identity(one.alter_table, one.alter_column, part.value, one.present->>'identity', one.draws);
        END CASE;
      END LOOP;
    EXCEPTION WHEN integrity_constraint_violation OR data_exception OR dependent_objects_still_exist OR feature_not_supported
                   OR invalid_table_definition OR cannot_coerce THEN
      GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
      RAISE EXCEPTION 'EV010: column %.% cannot be made: %', one.relation, one.name, coalesce(nullif(reason, ''), SQLERRM) USING ERRCODE = 'EV010';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_mend_columns() IS 'Makes columns that are missing or different as they were; EV010 where rows stand in the way.';

-- Where a sequence has the name of the column's own, it is replaced: the new one goes on from its value.
CREATE OR REPLACE FUNCTION _evercore_mend_identity(alter_table text, alter_column text, wanted text, present text, seq_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  next bigint;
BEGIN
  IF wanted = '' THEN
    EXECUTE alter_table || alter_column || 'DROP IDENTITY';
  ELSIF present <> '' THEN
    EXECUTE alter_table || alter_column || 'SET GENERATED ALWAYS';
  ELSE
    next := pg_sequence_last_value(to_regclass('@extschema@.' || seq_name));
    EXECUTE format('DROP SEQUENCE IF EXISTS @extschema@.%I', seq_name);
    EXECUTE alter_table || alter_column || 'ADD GENERATED ALWAYS AS IDENTITY';
    IF next IS NOT NULL THEN PERFORM setval(to_regclass('@extschema@.' || seq_name), next); END IF;
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_mend_identity(text, text, text, text, text) IS 'Makes a column draw its values, or not.';

CREATE OR REPLACE FUNCTION _evercore_mend_checks() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  reason text;
BEGIN
  FOR one IN SELECT f.* FROM _evercore_check_faults() f LOOP
    IF one.fault <> 'missing' THEN EXECUTE format('ALTER TABLE @extschema@.%I DROP CONSTRAINT %I', one.relation, one.name); END IF;
    BEGIN
      EXECUTE format('ALTER TABLE @extschema@.%I ADD CONSTRAINT %I %s', one.relation, one.name, one.definition);
    EXCEPTION WHEN check_violation THEN
      GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
      RAISE EXCEPTION 'EV010: constraint % cannot be made: %', one.name, coalesce(nullif(reason, ''), SQLERRM) USING ERRCODE = 'EV010';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_mend_checks() IS 'Makes CHECKs that are missing, different or invalid; EV010 where rows stand in the way.';
