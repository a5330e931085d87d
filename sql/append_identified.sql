-- One event with an event_id that is new: what most programs append.
--
-- Repeats, faults and all else that is not plainly such an event go through the arrays of append_many.sql, at four times the cost.

-- Gives NULL and writes nothing where this way is not open, so a repeat writes nothing. The event_id is looked up again where the aggregate had
-- to be waited for. An event that has it after that is one of another aggregate, perhaps compacted since.
CREATE OR REPLACE FUNCTION _evercore_append_identified(id bigint, expected bigint, event_type text, data text, reference text, metadata json,
  happened timestamptz, identity text, bears text[], fresh boolean, newest bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  reached bigint;
  seen bigint;
  placed bigint;
  derived text[];
  marks bigint;
  kind integer;
  looks boolean;
  simple boolean;
  path jsonpath;
  indexed bigint;
  given json;
  declared integer;
BEGIN
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN RETURN NULL; END IF;
  -- One statement, since the table of aggregates is locked before all others.
  UPDATE evercore_aggregate a SET sequence = a.sequence + 1
   WHERE a.aggregate_id = id AND NOT a.erased AND a.sequence = coalesce(expected, a.sequence) AND NOT (@is_taken@)
  RETURNING a.sequence, a.type_id, (SELECT b.sequence FROM evercore_aggregate b WHERE b.aggregate_id = id) INTO reached, kind, seen;
  IF reached IS NULL THEN RETURN NULL; END IF;
  -- It waited for another call, which may have written this very event.
  IF reached <> seen + 1 THEN
    IF @is_taken@ THEN
      @lower_version@
      RETURN NULL;
    END IF;
  END IF;
  @take_place@
  @insert_event@
  VALUES (placed, clock_timestamp(), id, reached, event_type, data::json, happened, reference, metadata, identity, given, declared)
    ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING;
  IF NOT FOUND OR EXISTS (SELECT FROM evercore_event_id i WHERE i.event_id = identity COLLATE "C") THEN
    PERFORM _evercore_refuse_identity(identity), _evercore_written(0, 1);
  END IF;
  @after_event@
  RETURN reached;
END $$;
COMMENT ON FUNCTION _evercore_append_identified(bigint, bigint, text, text, text, json, timestamptz, text, text[], boolean, bigint) IS
  'Appends one event with a new event_id, and gives its sequence; else NULL.';

CREATE OR REPLACE FUNCTION _evercore_refuse_identity(identity text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF EXISTS (SELECT FROM _evercore_event_ids(ARRAY[identity])) THEN
    PERFORM _evercore_refuse('EV007', format('event_id "%s" exists with other content', identity));
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_refuse_identity(text) IS 'EV007 where an event_id was taken by another call.';
