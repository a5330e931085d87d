-- Subscriptions: named durable cursors over the log, each partition held by one owner at a time under a fenced lease.
-- Here they are made, changed and removed; subscription_lease.sql claims and acks, subscription_fetch.sql reads.
--
-- Locks: what changes a subscription as a whole takes its row, then its partitions in order. What a worker does takes the
-- row of its own partition alone, so that workers never wait for each other.

CREATE OR REPLACE FUNCTION _evercore_subscriptions_ready() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF @unmigrated@ THEN
    RAISE EXCEPTION 'EV008: the store is not migrated: SELECT evercore_migrate()' USING ERRCODE = 'EV008';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_subscriptions_ready() IS 'EV008 where the store is not migrated to where it has subscriptions.';

-- A member of a filter that is a name, or NULL.
CREATE OR REPLACE FUNCTION _evercore_filter_name(value json, member text, longest integer) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF json_typeof(value) = 'null' THEN RETURN NULL; END IF;
  IF json_typeof(value) <> 'string' THEN PERFORM _evercore_refuse('EV009', 'filter: ' || member || ' is not text'); END IF;
  RETURN _evercore_name(value #>> '{}', member, longest);
END $$;
COMMENT ON FUNCTION _evercore_filter_name(json, text, integer) IS 'A name in a filter, or NULL; EV005 and EV009.';

CREATE OR REPLACE FUNCTION _evercore_filter_names(value json, member text, argument text) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  element json;
  names text[] := '{}';
BEGIN
  IF json_typeof(value) = 'null' THEN RETURN NULL; END IF;
  IF json_typeof(value) = 'array' THEN
    FOR element IN SELECT json_array_elements(value) LOOP
      IF json_typeof(element) <> 'string' THEN PERFORM _evercore_refuse('EV009', 'filter: ' || member || ' is not an array of names'); END IF;
      names := names || _evercore_name(element #>> '{}', argument, @max_name@);
    END LOOP;
  END IF;
  IF names = '{}' THEN PERFORM _evercore_refuse('EV009', 'filter: ' || member || ' is not an array of names'); END IF;
  RETURN names;
END $$;
COMMENT ON FUNCTION _evercore_filter_names(json, text, text) IS 'The event types or the tags of a filter, or NULL; EV005 and EV009.';

-- The parts of a filter and its canonical text; all NULL where everything passes.
CREATE OR REPLACE FUNCTION _evercore_filter(filter text, OUT canonical text, OUT aggregate_type text, OUT natural_key text, OUT event_types text[],
                                            OUT tags jsonb)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  member record;
  types_as text;
  wanted_tags text[];
BEGIN
  IF filter IS NULL THEN RETURN; END IF;
  PERFORM _evercore_payload(filter, 'filter');
  FOR member IN SELECT m.key, m.value FROM json_each(filter::json) m LOOP
    CASE member.key
      WHEN 'aggregate_type' THEN aggregate_type := _evercore_filter_name(member.value, member.key, @max_name@);
      WHEN 'natural_key' THEN natural_key := _evercore_filter_name(member.value, member.key, @max_name@);
      WHEN 'event_types', 'types' THEN
        IF types_as IS NOT NULL THEN PERFORM _evercore_refuse('EV009', 'filter: types and event_types are one'); END IF;
        types_as := member.key;
        event_types := _evercore_filter_names(member.value, member.key, 'event_type');
      WHEN 'tags' THEN wanted_tags := _evercore_filter_names(member.value, member.key, 'tag');
      ELSE PERFORM _evercore_refuse('EV009', 'filter: unknown member "' || member.key || '"');
    END CASE;
  END LOOP;
  IF cardinality(wanted_tags) > @max_tags@ THEN PERFORM _evercore_refuse('EV009', 'filter: tags are more than @max_tags@'); END IF;
  tags := to_jsonb(wanted_tags);
  IF natural_key IS NOT NULL AND aggregate_type IS NULL THEN PERFORM _evercore_refuse('EV009', 'filter: natural_key needs aggregate_type'); END IF;
  canonical := nullif('{' || concat_ws(',', '"aggregate_type":' || to_json(aggregate_type), '"natural_key":' || to_json(natural_key),
    '"event_types":[' || (SELECT string_agg(to_json(t.name)::text, ',' ORDER BY t.place)
                            FROM unnest(event_types) WITH ORDINALITY AS t (name, place)) || ']', '"tags":' || array_to_json(wanted_tags)) || '}', '{}');
END $$;
COMMENT ON FUNCTION _evercore_filter(text) IS 'What a filter says: its canonical text and its parts; EV004, EV005 and EV009.';

-- What `start` (a word, digits, a time or a number) means now: the position to begin after, the time, and whether compacted events may
-- be missing. It is resolved once and never again.
CREATE OR REPLACE FUNCTION _evercore_begin(start text, number bigint, OUT place bigint, OUT moment timestamptz, OUT kept boolean)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  kept := _evercore_says_kept(start);
  IF kept THEN start := CASE start WHEN 'kept' THEN 'beginning' ELSE substr(start, 6) END; END IF;
  IF number IS NULL AND coalesce(start, 'beginning') = 'beginning' THEN
    place := 0;
    RETURN;
  END IF;
  IF start ~ '^[0-9]+$' THEN
    IF start::numeric > 9223372036854775807 THEN PERFORM _evercore_refuse('EV009', 'start is out of range: ' || start); END IF;
    number := start::bigint;
  END IF;
  IF number IS NOT NULL OR start = 'end' THEN
    place := _evercore_safe_position();
    IF number < 0 OR number > place AND NOT _evercore_is_settled(number) THEN PERFORM _evercore_refuse('EV009', 'start is out of range: ' || number); END IF;
    kept := kept OR number IS NULL;  -- at the end nothing of before is wanted
    place := coalesce(number, place);
    RETURN;
  END IF;
  moment := _evercore_time(start, 'start');
  place := _evercore_safe_head();
  place := coalesce((SELECT e.position - 1 FROM evercore_event e WHERE e.position <= place AND coalesce(e.event_time, e.recorded_at) >= moment
                      ORDER BY e.position LIMIT 1), place);
END $$;
COMMENT ON FUNCTION _evercore_begin(text, bigint) IS 'Where a subscription begins; EV009.';

CREATE OR REPLACE FUNCTION _evercore_says_kept(start text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(start ~ '^kept( |$)', false)
$$;
COMMENT ON FUNCTION _evercore_says_kept(text) IS 'Whether a start says that compacted events may be missing.';

-- The newest position that compaction removed, of events that pass a subscription's filter: of all partitions or of one, at any time or
-- from one time on. Aggregates that were erased since count as well, although they have no key any more.
CREATE OR REPLACE FUNCTION _evercore_newest_removed(id bigint, part integer, moment timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT max(e.position) FROM evercore_subscription s, evercore_compacted_type e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id
           WHERE s.subscription_id = id
             AND (part IS NULL OR a.aggregate_id % s.partitions = part)
             AND (moment IS NULL OR a.newest_removed >= moment)
             AND s.tags IS NULL  -- an event that bears one is never removed
             AND @passes_type(s.event_types)@ AND @passes_aggregate(s.aggregate_type; s.natural_key; a.type_id = @type_of(s)@)@);
END $$;
COMMENT ON FUNCTION _evercore_newest_removed(bigint, integer, timestamptz) IS 'The newest position that a subscription can no longer read.';

-- EV010 where a subscription that begins after `place` would miss what was compacted. Nothing is compacted meanwhile, so only a snapshot
-- that is older than the lock might not see all of it.
CREATE OR REPLACE FUNCTION _evercore_require_kept(id bigint, place bigint, moment timestamptz, part integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  missed bigint;
BEGIN
  PERFORM _evercore_read_committed('a start that does not say kept');
  missed := _evercore_newest_removed(id, part, NULL);
  IF place >= missed THEN missed := CASE WHEN moment IS NOT NULL THEN _evercore_newest_removed(id, part, moment) END; END IF;
  IF missed IS NOT NULL THEN
    RAISE EXCEPTION 'EV010: subscription "%" would miss events that were compacted, up to position %: '
      'begin the start with the word kept to say that this is meant',
      (SELECT s.name FROM evercore_subscription s WHERE s.subscription_id = id), missed USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_kept(bigint, bigint, timestamptz, integer) IS 'EV010 where a subscription would miss compacted events.';

-- Locks a subscription and, in order, its partitions; gives its id, or NULL.
CREATE OR REPLACE FUNCTION _evercore_lock_subscription(name text, whole boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  id bigint;
BEGIN
  SELECT s.subscription_id INTO id FROM evercore_subscription s WHERE s.name = _evercore_lock_subscription.name COLLATE "C" FOR UPDATE;
  IF whole THEN
    PERFORM 1 FROM evercore_subscription_partition p WHERE p.subscription_id = id ORDER BY p.partition FOR UPDATE;
  END IF;
  RETURN id;
END $$;
COMMENT ON FUNCTION _evercore_lock_subscription(text, boolean) IS 'Locks a subscription, with its partitions where the whole is wanted; gives its id or NULL.';

-- As above, and EV002 where there is none.
CREATE OR REPLACE FUNCTION _evercore_subscription(name text, whole boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  id bigint;
BEGIN
  PERFORM _evercore_subscriptions_ready(), _evercore_name(name, 'name', @max_name@);
  id := _evercore_lock_subscription(name, whole);
  IF id IS NULL THEN PERFORM _evercore_refuse('EV002', 'no subscription "' || name || '"'); END IF;
  RETURN id;
END $$;
COMMENT ON FUNCTION _evercore_subscription(text, boolean) IS 'Locks a subscription and gives its id; EV002 where there is none.';

-- Another number of partitions, while no cursor has moved since a reset.
CREATE OR REPLACE FUNCTION _evercore_repartition(id bigint, wanted integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  subscription record;
BEGIN
  SELECT s.name, s.partitions, s.start_position INTO subscription FROM evercore_subscription s WHERE s.subscription_id = id;
  IF wanted = subscription.partitions THEN RETURN; END IF;
  PERFORM _evercore_lock_subscription(subscription.name, true);
  IF EXISTS (SELECT FROM evercore_subscription_partition p WHERE p.subscription_id = id AND NOT p.untouched) THEN
    RAISE EXCEPTION 'EV010: subscription "%" has % partitions: reset it to change them', subscription.name, subscription.partitions USING ERRCODE = 'EV010';
  END IF;
  DELETE FROM evercore_subscription_partition p WHERE p.subscription_id = id;
  UPDATE evercore_subscription s SET partitions = wanted WHERE s.subscription_id = id;
  INSERT INTO evercore_subscription_partition (subscription_id, partition, position, untouched)
  SELECT id, i, subscription.start_position, true FROM generate_series(0, wanted - 1) i;
END $$;
COMMENT ON FUNCTION _evercore_repartition(bigint, integer) IS 'Gives a subscription another number of partitions; EV010 unless it was just reset.';

-- An event type that a filter has named is known from then on, even when the filter changes. This may wait for a transaction that declares
-- the same type, so it comes last, when the call has all its other locks.
CREATE OR REPLACE FUNCTION _evercore_learn_event_types(names text[]) RETURNS void
LANGUAGE sql VOLATILE AS $$
  INSERT INTO evercore_event_type (name, fold) SELECT DISTINCT n.name COLLATE "C", 'merge' FROM unnest(names) AS n (name) ORDER BY 1 ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION _evercore_learn_event_types(text[]) IS 'Makes event types known that nobody has declared or appended so far.';

CREATE OR REPLACE FUNCTION _evercore_subscribe(name text, filter text, start text, number bigint, partitions bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  begins record;
  id bigint;
BEGIN
  @home@
  PERFORM _evercore_subscriptions_ready(), _evercore_name(_evercore_subscribe.name, 'name', @max_name@);
  SELECT f.* INTO wanted FROM _evercore_filter(_evercore_subscribe.filter COLLATE "C") f;
  IF _evercore_subscribe.partitions NOT BETWEEN 1 AND @max_partitions@ THEN
    PERFORM _evercore_refuse('EV009', 'partitions is out of range: ' || _evercore_subscribe.partitions);
  END IF;
  LOOP
    id := _evercore_lock_subscription(_evercore_subscribe.name, false);
    EXIT WHEN id IS NOT NULL;
    PERFORM _evercore_enter_subscription();
    SELECT b.* INTO begins FROM _evercore_begin(_evercore_subscribe.start, _evercore_subscribe.number) b;
    INSERT INTO evercore_subscription AS s (name, filter, aggregate_type, natural_key, event_types, tags, partitions, start_position)
    VALUES (_evercore_subscribe.name, wanted.canonical, wanted.aggregate_type, wanted.natural_key, wanted.event_types, wanted.tags,
            coalesce(_evercore_subscribe.partitions, 1), begins.place)
        ON CONFLICT DO NOTHING RETURNING s.subscription_id INTO id;
    IF FOUND THEN
      INSERT INTO evercore_subscription_partition (subscription_id, partition, position)
      SELECT s.subscription_id, i, s.start_position FROM evercore_subscription s, generate_series(0, s.partitions - 1) i WHERE s.subscription_id = id;
      IF NOT begins.kept THEN PERFORM _evercore_require_kept(id, begins.place, begins.moment, NULL); END IF;
      PERFORM _evercore_learn_event_types(wanted.event_types);
      RETURN _evercore_subscribe.name;
    END IF;
    CONTINUE WHEN _evercore_draw_ids();
    -- Someone else made it meanwhile. Above READ COMMITTED it cannot be seen.
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
      RAISE EXCEPTION 'subscription "%" was made meanwhile: try again', _evercore_subscribe.name USING ERRCODE = '40001';
    END IF;
  END LOOP;
  IF _evercore_subscribe.partitions IS NOT NULL THEN PERFORM _evercore_repartition(id, _evercore_subscribe.partitions::integer); END IF;
  PERFORM FROM evercore_subscription s WHERE s.subscription_id = id AND s.filter IS DISTINCT FROM wanted.canonical;
  IF NOT FOUND THEN RETURN _evercore_subscribe.name; END IF;
  PERFORM _evercore_enter_subscription();
  UPDATE evercore_subscription s
     SET filter = wanted.canonical, aggregate_type = wanted.aggregate_type, natural_key = wanted.natural_key, event_types = wanted.event_types,
         tags = wanted.tags, filter_version = s.filter_version + 1
   WHERE s.subscription_id = id;
  IF NOT _evercore_says_kept(_evercore_subscribe.start) THEN
    PERFORM _evercore_require_kept(id, p.position, NULL, p.partition) FROM evercore_subscription_partition p WHERE p.subscription_id = id ORDER BY p.partition;
  END IF;
  PERFORM _evercore_learn_event_types(wanted.event_types);
  RETURN _evercore_subscribe.name;
END $$;
COMMENT ON FUNCTION _evercore_subscribe(text, text, text, bigint, bigint) IS 'evercore_subscribe, with a start that is a text or a number.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter text DEFAULT NULL, start text DEFAULT NULL, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  RETURN _evercore_subscribe($1 COLLATE "C", $2 COLLATE "C", $3 COLLATE "C", NULL, $4);
END $$;
COMMENT ON FUNCTION evercore_subscribe(text, text, text, bigint) IS
  'Makes a subscription, or changes the filter of one that exists; its cursors stay. Gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter text, start bigint, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  RETURN _evercore_subscribe($1 COLLATE "C", $2 COLLATE "C", NULL, $3, $4);
END $$;
COMMENT ON FUNCTION evercore_subscribe(text, text, bigint, bigint) IS 'Makes a subscription that begins after a position.';

CREATE OR REPLACE FUNCTION evercore_pause(name text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  id bigint;
BEGIN
  @home@
  id := _evercore_subscription(name, false);
  UPDATE evercore_subscription s SET active = false WHERE s.subscription_id = id;
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_pause(text) IS 'From now on claims give NULL and fetches no rows; who holds a partition may still ack. Gives the name.';

CREATE OR REPLACE FUNCTION evercore_resume(name text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  id bigint;
BEGIN
  @home@
  id := _evercore_subscription(name, false);
  UPDATE evercore_subscription s SET active = true WHERE s.subscription_id = id;
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_resume(text) IS 'Ends a pause; gives the name.';

CREATE OR REPLACE FUNCTION _evercore_reset(name text, start text, number bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  id bigint;
  begins record;
BEGIN
  @home@
  PERFORM _evercore_subscriptions_ready(), _evercore_name(name, 'name', @max_name@);
  IF coalesce(start, number::text) IS NULL THEN PERFORM _evercore_refuse('EV009', 'start is NULL'); END IF;
  id := _evercore_subscription(name, true);
  PERFORM _evercore_enter_subscription();
  SELECT b.* INTO begins FROM _evercore_begin(start, number) b;
  IF NOT begins.kept THEN PERFORM _evercore_require_kept(id, begins.place, begins.moment, NULL); END IF;
  UPDATE evercore_subscription s SET start_position = begins.place WHERE s.subscription_id = id;
  UPDATE evercore_subscription_partition p
     SET position = begins.place, token = 0, owner = NULL, lease = NULL, lease_expires_at = NULL, seen = NULL, untouched = true, last_error = NULL
   WHERE p.subscription_id = id;
  PERFORM _evercore_require_whole(FOUND AND NOT EXISTS (
    SELECT FROM evercore_subscription_partition p WHERE p.subscription_id = id AND (p.position <> begins.place OR p.token <> 0)), format('subscription "%s" was reset', name));
  RETURN name;
END $$;
COMMENT ON FUNCTION _evercore_reset(text, text, bigint) IS 'evercore_reset, with a start that is a text or a number.';

CREATE OR REPLACE FUNCTION evercore_reset(name text, start text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  RETURN _evercore_reset($1 COLLATE "C", $2 COLLATE "C", NULL);
END $$;
COMMENT ON FUNCTION evercore_reset(text, text) IS 'Moves every cursor to a start, and makes current tokens stale; gives the name.';

CREATE OR REPLACE FUNCTION evercore_reset(name text, start bigint) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  RETURN _evercore_reset($1 COLLATE "C", NULL, $2);
END $$;
COMMENT ON FUNCTION evercore_reset(text, bigint) IS 'Moves every cursor to a position, and makes current tokens stale; gives the name.';

CREATE OR REPLACE FUNCTION evercore_unsubscribe(name text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  id bigint;
BEGIN
  @home@
  id := _evercore_subscription(name, true);
  DELETE FROM evercore_subscription_partition p WHERE p.subscription_id = id;
  DELETE FROM evercore_subscription s WHERE s.subscription_id = id;
  PERFORM _evercore_require_whole(NOT EXISTS (SELECT FROM evercore_subscription s WHERE s.subscription_id = id)
    AND NOT EXISTS (SELECT FROM evercore_subscription_partition p WHERE p.subscription_id = id), format('subscription "%s" was removed', name));
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_unsubscribe(text) IS 'Removes a subscription; gives its name.';

CREATE OR REPLACE FUNCTION _evercore_lag(id bigint, part integer, OUT events bigint, OUT oldest timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  first bigint;
BEGIN
  -- With their schema: in a store that is not migrated what has these names may be a temporary view of the caller's.
  SELECT count(*), min(n.position) INTO events, first FROM @extschema@._evercore_unread n WHERE n.subscription_id = id AND n.partition = part;
  oldest := (SELECT e.recorded_at FROM @extschema@.evercore_event e WHERE e.position = first);
END $$;
COMMENT ON FUNCTION _evercore_lag(bigint, integer) IS 'How many events a partition still has to read, and when the first of them was recorded.';

-- What compaction and erasure ask. Paused subscriptions count too: they will go on reading one day.
CREATE OR REPLACE FUNCTION _evercore_unread(id bigint, upto bigint) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF to_regclass('@extschema@.evercore_subscription') IS NULL THEN RETURN NULL; END IF;
  RETURN (SELECT s.name FROM evercore_subscription s
            JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id AND p.partition = id % s.partitions
           WHERE EXISTS (SELECT FROM _evercore_unread u WHERE u.subscription_id = p.subscription_id AND u.partition = p.partition
                                                          AND u.aggregate_id = id AND u.sequence <= upto)
           ORDER BY s.name LIMIT 1);
END $$;
COMMENT ON FUNCTION _evercore_unread(bigint, bigint) IS 'A subscription that has not read an aggregate''s events up to a sequence, or NULL.';

CREATE OR REPLACE FUNCTION _evercore_check_cursors() RETURNS TABLE ("position" bigint, problem text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT DISTINCT NULL::bigint, format('cursor of subscription "%s" is beyond the head', s.name)
    FROM evercore_subscription s JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
   WHERE p.position > @last_position@;
END $$;
COMMENT ON FUNCTION _evercore_check_cursors() IS 'Cursors of subscriptions that stand beyond the head.';

CREATE OR REPLACE FUNCTION _evercore_count_subscriptions() RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF to_regclass('@extschema@.evercore_subscription') IS NULL THEN RETURN 0; END IF;
  RETURN (SELECT count(*) FROM evercore_subscription);
END $$;
COMMENT ON FUNCTION _evercore_count_subscriptions() IS 'How many subscriptions the store has.';
