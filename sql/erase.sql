-- Erasure: nothing of what an aggregate said stays. Its events keep their positions and sequences.

CREATE OR REPLACE FUNCTION _evercore_is_erased(id bigint) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
  SELECT EXISTS (SELECT FROM evercore_aggregate a WHERE a.aggregate_id = id AND a.erased AND a.natural_key IS NULL)
     AND NOT EXISTS (SELECT FROM evercore_snapshot s WHERE s.aggregate_id = id)
     AND NOT EXISTS (SELECT FROM evercore_kept_state k WHERE k.aggregate_id = id)
     AND NOT EXISTS (SELECT FROM evercore_event_id i WHERE i.aggregate_id = id AND i.digest IS NOT NULL)
     AND NOT EXISTS (SELECT FROM evercore_event e
                      WHERE e.aggregate_id = id
                        AND (e.data::text <> '{}' OR coalesce(e.metadata::text, e.reference, e.tags::text, e.declared_tags::text) IS NOT NULL))
$$;
COMMENT ON FUNCTION _evercore_is_erased(bigint) IS 'Whether nothing is left of what an aggregate said.';

CREATE OR REPLACE FUNCTION evercore_erase(id bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  aggregate record;
  reader text;
  blanked bigint;
BEGIN
  @home@
  PERFORM _evercore_known(id, false), _evercore_read_committed('erasure'), _evercore_enter();
  SELECT a.* INTO aggregate FROM evercore_aggregate a WHERE a.aggregate_id = id FOR UPDATE;
  IF aggregate.erased THEN RETURN 0; END IF;
  reader := _evercore_unread(id, aggregate.sequence);
  IF reader IS NOT NULL THEN
    PERFORM _evercore_refuse('EV010', format('aggregate %s has events that subscription "%s" has not read', id, reader));
  END IF;
  PERFORM _evercore_open_log(true);
  PERFORM _evercore_untag(id);
  UPDATE evercore_event e SET data = '{}', metadata = NULL, reference = NULL, tags = NULL, declared_tags = NULL WHERE e.aggregate_id = id;
  GET DIAGNOSTICS blanked = ROW_COUNT;
  PERFORM _evercore_open_log(false);
  DELETE FROM evercore_snapshot s WHERE s.aggregate_id = id;
  DELETE FROM evercore_kept_state k WHERE k.aggregate_id = id;
  UPDATE evercore_event_id i SET digest = NULL WHERE i.aggregate_id = id;
  UPDATE evercore_aggregate a SET natural_key = NULL, erased = true WHERE a.aggregate_id = id;
  PERFORM _evercore_require_whole(_evercore_is_erased(id), 'aggregate ' || id || ' was erased');
  RETURN blanked;
END $$;
COMMENT ON FUNCTION evercore_erase(bigint) IS 'Blanks an aggregate''s events, drops its snapshots and natural key, and closes it; gives the number of events.';
