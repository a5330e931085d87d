-- The views of the store: what stands after CREATE VIEW … AS, in the server's own spelling, to be compared with what it prints.

CREATE OR REPLACE FUNCTION _evercore_views() RETURNS TABLE (name text, definition text, description text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$ VALUES
  ('_evercore_unread', 'SELECT s.subscription_id, p.partition, e."position", e.aggregate_id, e.sequence, e.recorded_at
    FROM ((evercore_subscription s
    JOIN evercore_subscription_partition p ON ((p.subscription_id = s.subscription_id)))
    JOIN evercore_event e ON (((e."position" > p."position") AND ((e.aggregate_id % (s.partitions)::bigint) = p.partition))))
    WHERE (@passes_event(s.event_types; s.tags)@ AND ((s.aggregate_type IS NULL) OR (EXISTS ( SELECT FROM (evercore_aggregate a
    JOIN evercore_aggregate_type t ON ((t.type_id = a.type_id)))
    WHERE ((a.aggregate_id = e.aggregate_id) AND @passes_aggregate(s.aggregate_type; s.natural_key; t.name = s.aggregate_type)@)))));',
   'What each partition still has to read: where a filter is applied in SQL.'),
  ('evercore_aggregate_types', 'SELECT f.name AS aggregate_type, f.schema, f.snapshot_every, f.snapshot_keep, (f.unfilled = 0) AS filled
    FROM evercore_aggregate_type f WHERE ((f.schema IS NOT NULL) OR (f.snapshot_every > 0));',
   'What is declared of aggregate types.'),
  ('evercore_aggregates', 'SELECT a.aggregate_id, t.name AS aggregate_type, a.natural_key, a.sequence,
    COALESCE(a.first_event_time, ( SELECT COALESCE(e.event_time, e.recorded_at) AS "coalesce" FROM evercore_event e
    WHERE ((e.aggregate_id = a.aggregate_id) AND (e.sequence = (a.base + 1))))) AS first_event_time,
    COALESCE(( SELECT COALESCE(e.event_time, e.recorded_at) AS "coalesce" FROM evercore_event e
    WHERE ((e.aggregate_id = a.aggregate_id) AND (e.sequence = a.sequence))), a.base_event_time) AS last_event_time, a.erased
    FROM (evercore_aggregate a
    JOIN evercore_aggregate_type t ON ((t.type_id = a.type_id)));',
   'Every aggregate with its type, natural key, version, the times of its first and last event, and whether it was erased.'),
  ('evercore_append', 'SELECT NULL::text AS aggregate_type, NULL::text AS natural_key, NULL::text AS event_type, NULL::text AS data,
    NULL::bigint AS aggregate_id, NULL::bigint AS expected, NULL::text AS reference, NULL::text AS metadata, NULL::text AS event_time,
    NULL::text AS event_id, NULL::text AS tags WHERE false;',
   'Write-only: INSERT INTO evercore_append appends one event a row, atomically per statement.'),
  ('evercore_event_types', 'SELECT f.name AS event_type,
    CASE WHEN ((f.fold <> ''merge''::text) OR f.declares_merge) THEN COALESCE((f.rules)::text, f.fold) ELSE NULL::text END AS fold,
    f.schema, f.upcast, f.tags, (f.unfilled = 0) AS filled
    FROM evercore_event_type f WHERE ((f.fold <> ''merge''::text) OR f.declares_merge OR (COALESCE(f.schema, f.upcast, f.tags) IS NOT NULL));',
   'What is declared of event types.'),
  ('evercore_in_flight', 'SELECT f."position", f.holder, f.since FROM _evercore_in_flight() f("position", holder, since);',
   'The appends not yet committed that hold followers back, oldest first.'),
  ('evercore_log', 'SELECT @log_view@ FROM @log_from(evercore_event e)@;',
   'All events this transaction sees, for looking; followers use evercore_follow.'),
  -- The lag is found by a function: written out, the server takes it for so dear that it compiles it, for half a second, each time.
  ('evercore_subscriptions', 'SELECT s.name, p.partition, s.filter, p."position", l.events AS lag_events,
    (GREATEST((0)::numeric, COALESCE(floor(EXTRACT(epoch FROM (statement_timestamp() - l.oldest))), (0)::numeric)))::bigint AS lag_seconds,
    p.owner, CASE WHEN (p.owner IS NOT NULL) THEN p.token ELSE NULL::bigint END AS token, p.lease_expires_at, s.active, p.last_error
    FROM ((evercore_subscription s
    JOIN evercore_subscription_partition p ON ((p.subscription_id = s.subscription_id)))
    CROSS JOIN LATERAL _evercore_lag(p.subscription_id, p.partition) l(events, oldest));',
   'One row a partition of a subscription: cursor, lag of what passes the filter, owner, lease, last error.')
$$;
COMMENT ON FUNCTION _evercore_views() IS 'The views of the store.';

-- From 16 on the server does without the name of a table where there is but one: such a one is called f.
CREATE OR REPLACE FUNCTION _evercore_view_faults() RETURNS TABLE (name text, definition text, description text, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT f.name, f.definition, f.description, f.fault FROM (
    SELECT w.*, CASE WHEN c.oid IS NULL THEN 'missing'
                     WHEN c.relkind <> 'v' OR c.reloptions IS NOT NULL OR EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = c.oid)
                          OR regexp_replace(regexp_replace(ltrim(pg_get_viewdef(c.oid)), E'\\s+', ' ', 'g'), E'\\mf\\.', '', 'g')
                             <> regexp_replace(regexp_replace(w.definition, E'\\s+', ' ', 'g'), E'\\mf\\.', '', 'g') THEN 'different' END AS fault
      FROM _evercore_views() w LEFT JOIN pg_class c ON c.oid = to_regclass('@extschema@.' || w.name)) f
   WHERE f.fault IS NOT NULL ORDER BY f.name;
END $$;
COMMENT ON FUNCTION _evercore_view_faults() IS 'Views that are missing or different.';

-- Where the columns are as before the view is replaced, and what others built on it stays.
CREATE OR REPLACE FUNCTION _evercore_mend_views() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  standard text;
  again boolean := false;
  rights text[];
  given text;
BEGIN
  FOR one IN SELECT f.*, format('VIEW @extschema@.%I', f.name) AS view, rtrim(f.definition, ';') AS body FROM _evercore_view_faults() f LOOP
    FOR standard IN SELECT a.attname FROM pg_attribute a WHERE a.attrelid = to_regclass('@extschema@.' || one.name) AND a.atthasdef LOOP
      EXECUTE format('ALTER %s ALTER COLUMN %I DROP DEFAULT', one.view, standard);
    END LOOP;
    BEGIN
      EXECUTE format('CREATE OR REPLACE %s AS %s', one.view, one.body);
    EXCEPTION WHEN invalid_table_definition THEN
      rights := ARRAY(SELECT format('GRANT %s ON @extschema@.%I TO %s', g.privilege, one.name, g.receiver)
                        FROM pg_class c, LATERAL @given(c.relacl; c.relowner)@ g WHERE c.oid = to_regclass('@extschema@.' || one.name));
      PERFORM _evercore_drop_view(one.name);
      again := true;  -- others may have gone with it
      EXECUTE format('CREATE OR REPLACE %s AS %s', one.view, one.body);
      FOREACH given IN ARRAY rights LOOP EXECUTE given; END LOOP;
    END;
    EXECUTE format('COMMENT ON %s IS %L', one.view, one.description);
  END LOOP;
  IF again THEN PERFORM _evercore_mend_views(); END IF;
END $$;
COMMENT ON FUNCTION _evercore_mend_views() IS 'Makes views that are missing or different.';

CREATE OR REPLACE FUNCTION _evercore_drop_view(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  reason text;
BEGIN
  EXECUTE format('DROP VIEW IF EXISTS @extschema@.%I', name);
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION 'EV010: view % cannot be made: %', name, reason USING ERRCODE = 'EV010';
END $$;
COMMENT ON FUNCTION _evercore_drop_view(text) IS 'Drops a view of the store; EV010 where others are built on it.';

CREATE OR REPLACE FUNCTION _evercore_drop_views() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT _evercore_drop_view(v.name) FROM _evercore_views() v
$$;
COMMENT ON FUNCTION _evercore_drop_views() IS 'Drops the views of the store: they are in the way where the type of a column changes.';
