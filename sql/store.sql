-- The store as a whole: its figures and its version.

CREATE OR REPLACE FUNCTION evercore_stats() RETURNS TABLE (name text, value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM _evercore_ready();
  RETURN QUERY
  SELECT s.name, s.value
    FROM (SELECT count(*) AS events, max(e.position) AS head, min(e.recorded_at) AS oldest, max(e.recorded_at) AS newest,
                 coalesce(sum(octet_length(e.data::text) + coalesce(octet_length(e.metadata::text), 0)), 0) AS bytes
            FROM evercore_event e) l,
         LATERAL (VALUES
           (1, 'aggregates', (SELECT count(*)::text FROM evercore_aggregate)),
           (2, 'events', l.events::text),
           (3, 'snapshots', (SELECT count(*)::text FROM evercore_snapshot)),
           (4, 'subscriptions', _evercore_count_subscriptions()::text),
           (5, 'head_position', greatest(l.head, (SELECT max(a.base_position) FROM evercore_aggregate a), @last_position@)::text),
           (6, 'oldest_recorded_at', _evercore_time_text(l.oldest)),
           (7, 'newest_recorded_at', _evercore_time_text(l.newest)),
           (8, 'data_bytes', l.bytes::text)) AS s (no, name, value)
   ORDER BY s.no;
END $$;
COMMENT ON FUNCTION evercore_stats() IS 'How much there is in the store, by name.';

CREATE OR REPLACE FUNCTION evercore_version() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT '@version@'::text
$$;
COMMENT ON FUNCTION evercore_version() IS 'The version of evercore.';
