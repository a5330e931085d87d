-- What a store is made of, to see what is gone or was changed, and to put it back: relations and indexes here, functions.sql,
-- columns.sql, views.sql, and triggers in migrate.sql. A test compares the lists with the catalogue of a fresh store.

-- Every index but that by type, which _evercore_declared asks for. `contype` is p or u where it belongs to a constraint, and i where it is
-- not unique.
CREATE OR REPLACE FUNCTION _evercore_indexes() RETURNS TABLE (relation text, name text, contype text, definition text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ VALUES
  ('_evercore_declared', '_evercore_declared_pkey', 'p', 'btree (one_row)'),
  ('_evercore_floor', '_evercore_floor_one_row', '', 'btree (((floor IS NOT NULL)))'),
  ('_evercore_floor', '_evercore_floor_pkey', 'p', 'btree (floor)'),
  ('evercore_aggregate', 'evercore_aggregate_key', '', 'btree (type_id, natural_key) WHERE (natural_key IS NOT NULL)'),
  ('evercore_aggregate', 'evercore_aggregate_pkey', 'p', 'btree (aggregate_id)'),
  ('evercore_aggregate_type', 'evercore_aggregate_type_name_key', 'u', 'btree (name)'),
  ('evercore_aggregate_type', 'evercore_aggregate_type_pkey', 'p', 'btree (type_id)'),
  ('evercore_compacted_type', 'evercore_compacted_type_newest', 'i', 'btree (event_type, "position")'),
  ('evercore_compacted_type', 'evercore_compacted_type_pkey', 'p', 'btree (aggregate_id, event_type)'),
  ('evercore_event', 'evercore_event_event_id', '', 'btree (event_id) WHERE (event_id IS NOT NULL)'),
  ('evercore_event', 'evercore_event_pkey', 'p', 'btree ("position")'),
  ('evercore_event', 'evercore_event_sequence', '', 'btree (aggregate_id, sequence)'),
  ('evercore_event_id', 'evercore_event_id_pkey', 'p', 'btree (event_id)'),
  ('evercore_event_tag', 'evercore_event_tag_pkey', 'p', 'btree (tag, event_type, "position")'),
  ('evercore_event_type', 'evercore_event_type_pkey', 'p', 'btree (name)'),
  ('evercore_event_type', 'evercore_event_type_unfilled', 'i', 'btree (name) WHERE (unfilled > 0)'),
  ('evercore_kept_state', 'evercore_kept_state_pkey', 'p', 'btree (aggregate_id)'),
  ('evercore_schema', 'evercore_schema_one_row', '', 'btree (((version IS NOT NULL)))'),
  ('evercore_schema', 'evercore_schema_pkey', 'p', 'btree (version)'),
  ('evercore_snapshot', 'evercore_snapshot_application', '', 'btree (aggregate_id, version, sequence) WHERE (version IS NOT NULL)'),
  ('evercore_snapshot', 'evercore_snapshot_engine', '', 'btree (aggregate_id, sequence) WHERE (version IS NULL)'),
  ('evercore_snapshot', 'evercore_snapshot_pkey', 'p', 'btree (snapshot_id)'),
  ('evercore_subscription', 'evercore_subscription_name_key', 'u', 'btree (name)'),
  ('evercore_subscription', 'evercore_subscription_pkey', 'p', 'btree (subscription_id)'),
  ('evercore_subscription_partition', 'evercore_subscription_partition_pkey', 'p', 'btree (subscription_id, partition)')
$$;
COMMENT ON FUNCTION _evercore_indexes() IS 'The indexes of the store.';

CREATE OR REPLACE FUNCTION _evercore_relations() RETURNS TABLE (kind text, name text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT 'table', u FROM unnest('{_evercore_declared,_evercore_floor,_evercore_pending,evercore_aggregate,evercore_aggregate_type,evercore_compacted_type,
      evercore_event,evercore_event_id,evercore_event_tag,evercore_event_type,evercore_kept_state,evercore_schema,
      evercore_snapshot,evercore_subscription,evercore_subscription_partition}'::text[]) u
  UNION ALL
  SELECT 'view', u FROM unnest('{_evercore_unread,evercore_aggregate_types,evercore_aggregates,evercore_append,evercore_event_types,evercore_in_flight,evercore_log,evercore_subscriptions}'::text[]) u
  UNION ALL
  SELECT 'type', '_evercore_new_event'
  UNION ALL
  SELECT 'sequence', s.name FROM unnest('{_evercore_highest,_evercore_system,_evercore_timeline,_evercore_token,evercore_aggregate_aggregate_id_seq,
      evercore_aggregate_type_type_id_seq,evercore_event_position_seq,evercore_subscription_subscription_id_seq}'::text[]) AS s (name)
$$;
COMMENT ON FUNCTION _evercore_relations() IS 'The tables, views, sequences and types of the store.';

CREATE OR REPLACE FUNCTION _evercore_index_faults() RETURNS TABLE (relation text, name text, contype text, definition text, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.relation, f.name, f.contype, f.definition, f.fault FROM (
    SELECT w.*, CASE WHEN x.indexrelid IS NULL THEN 'missing'
                     WHEN x.indrelid <> t.oid OR coalesce(c.contype::text, CASE WHEN x.indisunique THEN '' ELSE 'i' END) <> w.contype
                          OR regexp_replace(pg_get_indexdef(x.indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '') <> w.definition THEN 'different'
                     WHEN NOT (x.indisvalid AND x.indisready AND x.indislive) THEN 'invalid' END AS fault
      FROM _evercore_indexes() w JOIN pg_class t ON t.oid = to_regclass('@extschema@.' || w.relation)
      LEFT JOIN pg_index x ON x.indexrelid = to_regclass('@extschema@.' || w.name)
      LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid AND c.conrelid = t.oid AND c.contype IN ('p', 'u')) f
   WHERE f.fault IS NOT NULL ORDER BY f.name;
END $$;
COMMENT ON FUNCTION _evercore_index_faults() IS 'Indexes that are missing, different or invalid.';

-- Where one of these is a table's or a sequence's, nothing else can be looked at.
CREATE OR REPLACE FUNCTION _evercore_relation_faults() RETURNS TABLE (kind text, problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT r.kind, format('%s %s is missing', r.kind, r.name) FROM _evercore_relations() r WHERE to_regclass('@extschema@.' || r.name) IS NULL
  UNION ALL
  SELECT 'table', format('column %s.%s is missing', f.relation, f.name) FROM _evercore_column_faults() f WHERE f.fault = 'missing'
  UNION ALL
  SELECT 'view', format('view %s is different', f.name) FROM _evercore_view_faults() f WHERE f.fault = 'different'
  UNION ALL
  SELECT r.kind, format('owner of %s %s is %s', r.kind, r.name, pg_get_userbyid(c.relowner)) FROM _evercore_relations() r
    JOIN pg_class c ON c.oid = to_regclass('@extschema@.' || r.name) WHERE c.relowner IS DISTINCT FROM to_regrole('@owner@')::oid
  UNION ALL
  SELECT 'function', format('owner of function %s is %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)) FROM pg_proc p
   WHERE p.pronamespace = '@extschema@'::regnamespace AND p.proname ~ '^_?evercore_' AND p.proowner IS DISTINCT FROM to_regrole('@owner@')::oid;
END $$;
COMMENT ON FUNCTION _evercore_relation_faults()
  IS 'Relations and columns that are missing, views that are different, and what belongs to another role than the owner.';

-- As the migrations make them; the migrations' statements about columns and first rows come along.
CREATE OR REPLACE FUNCTION _evercore_make_missing() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  step record;
BEGIN
  PERFORM set_config('search_path', '@extschema@, pg_temp', true);
  FOR one IN SELECT r.name FROM _evercore_relations() r WHERE r.kind <> 'view' AND to_regclass('@extschema@.' || r.name) IS NULL ORDER BY r.kind, r.name LOOP
    FOR step IN
      SELECT m.version, x.statement[1] AS statement FROM _evercore_migrations() m,
             LATERAL regexp_matches(m.up, '(?w)^((?:CREATE (?:UNLOGGED )?(?:TABLE|SEQUENCE|TYPE)|ALTER (?:TABLE|TYPE)|INSERT INTO) '
               || one.name || '(?![_a-z])(?! ADD PRIMARY)[^;]*;)', 'g') WITH ORDINALITY AS x (statement, no)
       ORDER BY m.version, x.no LOOP
      EXECUTE step.statement;
    END LOOP;
  END LOOP;
  FOR one IN SELECT f.* FROM _evercore_persistence_faults() f LOOP
    EXECUTE format('ALTER TABLE %I SET %s', one.name, one.wanted);
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_make_missing() IS 'Makes tables, sequences and types that are missing, and tables outlive a crash.';

-- The row of a table of one; types are indexed where appends look for it and the index is there.
CREATE OR REPLACE FUNCTION _evercore_mend_rows() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  INSERT INTO _evercore_floor (floor, published_at) SELECT 0, clock_timestamp() WHERE NOT EXISTS (SELECT FROM _evercore_floor);
  INSERT INTO _evercore_declared (generation, by_type) SELECT 0, coalesce(@look_for_types@, false) AND _evercore_has_index_by_type()
   WHERE NOT EXISTS (SELECT FROM _evercore_declared);
END $$;
COMMENT ON FUNCTION _evercore_mend_rows() IS 'Writes the row that a table of one row has lost.';

-- What is written to an unlogged table is lost by a crash.
CREATE OR REPLACE FUNCTION _evercore_persistence_faults() RETURNS TABLE (name text, wanted text)
LANGUAGE sql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT r.name, CASE r.name WHEN '_evercore_pending' THEN 'UNLOGGED' ELSE 'LOGGED' END
    FROM _evercore_relations() r JOIN pg_class c ON c.oid = to_regclass('@extschema@.' || r.name)
   WHERE r.kind = 'table' AND c.relpersistence <> CASE r.name WHEN '_evercore_pending' THEN 'u' ELSE 'p' END
$$;
COMMENT ON FUNCTION _evercore_persistence_faults() IS 'Tables that are unlogged, or should be.';

CREATE OR REPLACE FUNCTION _evercore_drift() RETURNS TABLE (problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT format('%s %s is %s', CASE WHEN f.contype IN ('p', 'u') THEN 'constraint' ELSE 'index' END, f.name, f.fault) FROM _evercore_index_faults() f
  UNION ALL
  SELECT format('column %s.%s is %s', f.relation, f.name, f.fault) FROM _evercore_column_faults() f
  UNION ALL
  SELECT format('constraint %s is %s', f.name, f.fault) FROM _evercore_check_faults() f
  UNION ALL
  SELECT format('table %s is different', f.name) FROM _evercore_persistence_faults() f
  UNION ALL
  SELECT format('trigger %s is %s', f.name, f.fault) FROM _evercore_trigger_faults() f
  UNION ALL
  SELECT '_evercore_declared is empty' WHERE NOT EXISTS (SELECT FROM _evercore_declared)
  UNION ALL
  SELECT '_evercore_floor is empty' WHERE NOT EXISTS (SELECT FROM _evercore_floor)
  UNION ALL
  SELECT 'index evercore_event_by_type is missing' FROM _evercore_declared d WHERE d.by_type AND NOT _evercore_has_index_by_type()
  UNION ALL
  SELECT q.problem FROM _evercore_check_sequences() q;
END $$;
COMMENT ON FUNCTION _evercore_drift() IS 'What the store lacks of what it is made of.';

-- What is right is left alone. Where rows stand in the way, the error names them.
CREATE OR REPLACE FUNCTION _evercore_mend_indexes() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  rows_in_the_way text;
BEGIN
  FOR one IN SELECT f.* FROM _evercore_index_faults() f LOOP
    BEGIN
      IF one.fault <> 'missing' THEN
        IF EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = to_regclass('@extschema@.' || one.name)) THEN
          EXECUTE format('ALTER TABLE @extschema@.%I DROP CONSTRAINT %I', one.relation, one.name);
        ELSE
          EXECUTE format('DROP INDEX @extschema@.%I', one.name);
        END IF;
      END IF;
      IF one.contype IN ('', 'i') THEN
        EXECUTE format('CREATE %s INDEX %I ON @extschema@.%I USING %s', CASE one.contype WHEN '' THEN 'UNIQUE' END, one.name, one.relation, one.definition);
      ELSE
        EXECUTE format('ALTER TABLE @extschema@.%I ADD CONSTRAINT %I %s %s', one.relation, one.name,
                       CASE one.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, substr(one.definition, 7));
      END IF;
    EXCEPTION WHEN unique_violation OR not_null_violation THEN
      GET STACKED DIAGNOSTICS rows_in_the_way = PG_EXCEPTION_DETAIL;
      RAISE EXCEPTION 'EV010: index % cannot be made: %', one.name, coalesce(nullif(rows_in_the_way, ''), SQLERRM) USING ERRCODE = 'EV010';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_mend_indexes() IS 'Makes the indexes that are missing, different or invalid; EV010 where rows stand in the way.';
