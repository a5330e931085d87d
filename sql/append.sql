-- One event appended. The path that every append takes is two statements: UPDATE of the version, INSERT of the event.
-- What is rare (an event_id, a policy, a refusal) leaves it by a branch. A session that makes its plans while the tables are small would scan them
-- for as long as it keeps these plans: no scans here.
--
-- Locks are always taken in one order, so that calls never deadlock with each other: the table of aggregates (see locks.sql),
-- aggregate types, natural keys (each sorted), aggregates by id, then event ids sorted, waiting at their unique index.

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text DEFAULT NULL, metadata text DEFAULT NULL, event_time text DEFAULT NULL, event_id text DEFAULT NULL,
  tags text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
  fresh boolean := pg_current_xact_id_if_assigned() IS NULL;
  printed text;
  reached bigint;
  happened timestamptz;
  extra json;
  bears text[];
  derived text[];
  newest bigint;
  marks bigint;
  kind integer;
  looks boolean;
  simple boolean;
  path jsonpath;
  placed bigint;
  indexed bigint;
  given json;
  declared integer;
BEGIN
  -- NULL, too, at the first append of a session, where the sequence went back, and where events came by replication: see life.sql.
  BEGIN
    newest := @last_value@;
    printed := CASE WHEN newest >= currval('@extschema@.evercore_event_position_seq'::regclass)
                         AND @unusual_marks(@marks@)@ <= newest THEN data::jsonb END;
  EXCEPTION WHEN OTHERS THEN
    printed := NULL;
  END;
  IF printed IS NULL THEN
    @home@
    IF @unmigrated@ THEN PERFORM _evercore_ready(); END IF;
    newest := NULL;
    BEGIN
      printed := data::jsonb;
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END IF;
  -- Plainly within the payload profile, and nothing unusual asked for? See payload.sql.
  IF (@plain(data; printed)@ AND octet_length(data) <= @shallow@
      AND octet_length(event_type) <= @max_name@ AND event_type <> '' AND coalesce(reference, metadata, event_time, event_id, tags) IS NULL) IS NOT TRUE THEN
    IF coalesce(tags, event_id) IS NOT NULL AND @plain(data; printed)@ AND octet_length(data) <= @shallow@ AND octet_length(event_type) <= @max_name@
       AND event_type <> '' AND coalesce(reference, metadata, event_time) IS NULL AND octet_length(concat(tags, event_id)) BETWEEN 1 AND @max_name@ THEN
      IF tags IS NULL THEN
        reached := _evercore_append_identified(id, expected, event_type, data, NULL, NULL, NULL, event_id, NULL, fresh, newest);
      ELSIF event_id IS NULL AND tags COLLATE "C" ~ '@plain_tags@' THEN
        reached := _evercore_append_tagged(id, expected, event_type, data::json, string_to_array(left(substr(tags, 3), -2), '","'), newest);
      END IF;
      IF reached IS NOT NULL THEN RETURN reached; END IF;
    END IF;
    IF tags IS NOT NULL THEN bears := _evercore_tags(tags); END IF;
    happened := _evercore_check_event(data COLLATE "C", metadata, coalesce(id, 0), NULL, NULL, event_type, event_id, NULL, expected, reference, event_time,
      tags, bears);
    IF bears = '{}' THEN bears := NULL; END IF;
    extra := metadata;
    IF event_id IS NOT NULL THEN
      -- Not where it was tried above already: that found a repeat.
      reached := CASE WHEN coalesce(reference, metadata, event_time, tags) IS NOT NULL OR octet_length(data) > @shallow@ THEN
        _evercore_append_identified(id, expected, event_type, data, reference, extra, happened, event_id, bears, fresh, newest) END;
      IF reached IS NOT NULL THEN RETURN reached; END IF;
      PERFORM _evercore_known(id, false);
      RETURN (SELECT r.sequence FROM _evercore_append_rows(ARRAY[id], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[expected], NULL,
                ARRAY[@new_event(1; event_type; data; reference; metadata; happened; event_id; bears; NULL)@], NULL, NULL) r);
    END IF;
  END IF;
  UPDATE evercore_aggregate a SET sequence = a.sequence + 1 WHERE a.aggregate_id = id AND NOT a.erased RETURNING a.sequence, a.type_id INTO reached, kind;
  IF reached IS NULL OR reached - 1 <> expected THEN
    PERFORM _evercore_number(expected, 'expected', 0, NULL), _evercore_known(id, true), _evercore_conflict(id, reached - 1, expected);
  END IF;
  @take_place@
  @insert_event@
  VALUES (placed, clock_timestamp(), id, reached, event_type, data::json, happened, reference, extra, NULL, given, declared);
  @after_event@
  RETURN reached;
END $$;
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, text, text, text, text) IS
  'Appends one event to an aggregate and gives its sequence; EV001 where expected is given and is not the version.';

CREATE OR REPLACE FUNCTION _evercore_conflict(id bigint, actual bigint, expected bigint) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  IF actual IS NULL THEN PERFORM _evercore_counted(0, 1); END IF;
  RAISE EXCEPTION 'EV001: conflict: aggregate % is at sequence %, expected %', id, actual, expected USING ERRCODE = 'EV001';
END $$;
COMMENT ON FUNCTION _evercore_conflict(bigint, bigint, bigint) IS 'Raises EV001.';

CREATE OR REPLACE FUNCTION _evercore_row(no bigint, named boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN named THEN ' (row ' || no || ')' ELSE '' END
$$;
COMMENT ON FUNCTION _evercore_row(bigint, boolean) IS 'What names a row of a statement of many, at the end of a message.';

-- A trigger that gives NULL, or a rule, makes a row vanish: what was not written must not be acknowledged.
CREATE OR REPLACE FUNCTION _evercore_written(written bigint, wanted bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF written IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'EV010: an event was not written: a trigger or rule of evercore_event kept it back' USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_written(bigint, bigint) IS 'EV010 where not as many events were written as were wanted.';

-- The same for what counts versions.
CREATE OR REPLACE FUNCTION _evercore_counted(counted bigint, wanted bigint) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  IF counted IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'EV010: a version was not counted: a trigger or rule of evercore_aggregate kept it back' USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_counted(bigint, bigint) IS 'EV010 where not as many aggregates count their events as were wanted.';

-- Checks an event and its target. Faults are named in this order: EV004, EV005, EV009. `wrong` is an EV009 that the caller found.
-- Gives the event's time.
CREATE OR REPLACE FUNCTION _evercore_check_event(data text, metadata text, id bigint, type text, key text, event_type text, event_id text,
  wrong text, expected bigint, reference text, event_time text, tags text, bears text[]) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  happened timestamptz;
BEGIN
  PERFORM _evercore_ready(), _evercore_payload(data, 'data'), _evercore_payload(metadata, 'metadata');
  IF octet_length(data) + octet_length(metadata) > @max_payload@ THEN PERFORM _evercore_refuse('EV004', 'data: too large'); END IF;
  IF id IS NULL THEN
    IF key IS NULL THEN PERFORM _evercore_refuse('EV005', 'neither aggregate_id nor natural_key given'); END IF;
    PERFORM _evercore_name(type, 'aggregate_type', @max_name@), _evercore_name(key, 'natural_key', @max_name@);
  ELSIF coalesce(type, key) IS NOT NULL THEN
    PERFORM _evercore_name(coalesce(type, key), CASE WHEN type IS NULL THEN 'natural_key' ELSE 'aggregate_type' END, @max_name@);
    PERFORM _evercore_name(coalesce(key, type), 'natural_key', @max_name@);
  END IF;
  PERFORM _evercore_name(event_type, 'event_type', @max_name@);
  IF event_id IS NOT NULL THEN PERFORM _evercore_name(event_id, 'event_id', @max_name@); END IF;
  IF bears IS NOT NULL THEN PERFORM _evercore_name(u.tag, 'tag', @max_name@) FROM unnest(bears) WITH ORDINALITY AS u (tag, no) ORDER BY u.no; END IF;
  IF data IS NULL THEN PERFORM _evercore_refuse('EV009', 'data is NULL'); END IF;
  IF wrong IS NOT NULL THEN PERFORM _evercore_refuse('EV009', wrong); END IF;
  PERFORM _evercore_number(expected, 'expected', 0, NULL);
  IF char_length(reference) > @max_reference@ THEN PERFORM _evercore_refuse('EV009', 'reference is longer than @max_reference@ characters'); END IF;
  happened := _evercore_time(event_time, 'event_time');
  IF tags IS NOT NULL THEN
    IF bears IS NULL THEN PERFORM _evercore_refuse('EV009', 'tags is not an array of texts'); END IF;
    IF cardinality(bears) > @max_tags@ THEN PERFORM _evercore_refuse('EV009', 'tags are more than @max_tags@'); END IF;
  END IF;
  IF coalesce(type, key) IS NOT NULL AND id IS NOT NULL THEN PERFORM _evercore_refuse('EV009', 'aggregate_id is given together with a type or key'); END IF;
  RETURN happened;
END $$;
COMMENT ON FUNCTION _evercore_check_event(text, text, bigint, text, text, text, text, text, bigint, text, text, text, text[]) IS
  'Refuses what an event must not be: EV004, EV005, EV009; gives its time.';
