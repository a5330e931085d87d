-- Queries by type and tag, and appends under a condition: a rule that spans aggregates holds where what was read is still all there is when
-- the events that follow from it are written.
--
-- Appends and the conditions that their events could break meet at advisory keys, of tags and of types. An append holds the keys of its
-- events shared, so it waits for conditions only. A condition holds one key of each of its items exclusively: of a tag, or of the types of an
-- item without tags. So it waits for open appends whose events it might match, and sees them in its next statement; later ones wait for it.
-- Every transaction that takes part holds the store's own key besides, shared; who cannot say what keys there are ([], or too many) holds
-- that one alone. Events hold the keys of types only where types are indexed, which is declared.
--
-- A query gives positions to be handed to a condition. So nothing that matches may appear at or below the last of them: it stops at the
-- floors (see floor.sql) of those transactions that hold its keys. They took their keys before they drew their positions.

-- == What a query is ==

-- A query within the payload profile and of the right shape; else the first fault in the order of the text. Positions that were never given come last.
CREATE OR REPLACE FUNCTION _evercore_read_query(query text, argument text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  fault text := CASE WHEN octet_length(query) > @max_payload@ THEN 'too large' ELSE _evercore_query_fault(query) END;
  item record;
  member record;
  place text;
  beyond text;
BEGIN
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse('EV004', argument || ': ' || fault); END IF;
  IF json_typeof(query::json) <> 'array' THEN PERFORM _evercore_refuse('EV009', argument || ': not an array'); END IF;
  IF json_array_length(query::json) > 100 THEN PERFORM _evercore_refuse('EV009', argument || ': more than 100 items'); END IF;
  FOR item IN SELECT i.value, i.no - 1 AS no FROM json_array_elements(query::json) WITH ORDINALITY AS i (value, no) LOOP
    place := argument || ': /' || item.no;
    IF json_typeof(item.value) <> 'object' THEN PERFORM _evercore_refuse('EV009', place || ': not an object'); END IF;
    FOR member IN SELECT m.key, m.value, place || '/' || replace(replace(m.key, '~', '~0'), '/', '~1') AS place FROM json_each(item.value) AS m LOOP
      IF member.key = 'types' THEN
        PERFORM _evercore_read_names(member.value, member.place, 'event_type', 100);
      ELSIF member.key = 'tags' THEN
        PERFORM _evercore_read_names(member.value, member.place, 'tag', @max_tags@);
      ELSIF member.key = 'after' AND argument = 'condition' THEN
        IF json_typeof(member.value) <> 'number' OR NOT _evercore_is_integer(member.value) THEN
          PERFORM _evercore_refuse('EV009', member.place || ': not an integer');
        ELSIF (member.value::text)::numeric < 0 THEN
          PERFORM _evercore_refuse('EV009', member.place || ': out of range');
        ELSIF (member.value::text)::numeric > @last_position@ THEN
          beyond := coalesce(beyond, member.place);
        END IF;
      ELSE
        PERFORM _evercore_refuse('EV009', member.place || ': unknown member');
      END IF;
    END LOOP;
    IF NOT item.value::jsonb ?| '{types,tags}' THEN PERFORM _evercore_refuse('EV009', place || ': empty'); END IF;
  END LOOP;
  IF beyond IS NOT NULL THEN PERFORM _evercore_refuse('EV009', beyond || ': out of range'); END IF;
  RETURN _evercore_read_query.query::jsonb;
END $$;
COMMENT ON FUNCTION _evercore_read_query(text, text) IS 'A query or condition as it is to be; EV004, EV005, EV009.';

CREATE OR REPLACE FUNCTION _evercore_query_fault(query text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE
  printed text;
BEGIN
  BEGIN
    printed := query::jsonb;
    IF @plain_members(query; printed)@ AND octet_length(query) <= @shallow@ THEN RETURN NULL; END IF;
  EXCEPTION WHEN OTHERS THEN
    NULL;
  END;
  RETURN _evercore_exact_fault(query, NULL);
END $$;
COMMENT ON FUNCTION _evercore_query_fault(text) IS 'The word of EV004 for a document that need not be an object, or NULL.';

CREATE OR REPLACE FUNCTION _evercore_read_names(names json, place text, argument text, most integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  name record;
BEGIN
  IF json_typeof(names) <> 'array' THEN PERFORM _evercore_refuse('EV009', place || ': not an array'); END IF;
  IF json_array_length(names) = 0 THEN PERFORM _evercore_refuse('EV009', place || ': empty'); END IF;
  IF json_array_length(names) > most THEN PERFORM _evercore_refuse('EV009', place || ': more than ' || most); END IF;
  FOR name IN SELECT n.value, n.no - 1 AS no FROM json_array_elements(names) WITH ORDINALITY AS n (value, no) LOOP
    IF json_typeof(name.value) <> 'string' THEN PERFORM _evercore_refuse('EV009', place || '/' || name.no || ': not text'); END IF;
    PERFORM _evercore_name(name.value #>> '{}', argument, @max_name@);
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_read_names(json, text, text, integer) IS 'Refuses what is no array of types or tags: EV005, EV009.';

-- Its items, each with the names that it has, once; [] as one that has none. `after`: of those that bear none of their own.
CREATE OR REPLACE FUNCTION _evercore_items(query jsonb, "after" bigint) RETURNS TABLE (types text[], tags text[], place bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN QUERY
  SELECT CASE WHEN i.one ? 'types' THEN ARRAY(
           SELECT n.name FROM jsonb_array_elements_text(i.one->'types') WITH ORDINALITY AS n (name, no) GROUP BY 1 ORDER BY min(n.no)) END,
         CASE WHEN i.one ? 'tags' THEN ARRAY(
           SELECT n.name FROM jsonb_array_elements_text(i.one->'tags') WITH ORDINALITY AS n (name, no) GROUP BY 1 ORDER BY min(n.no)) END,
         coalesce((i.one->>'after')::numeric::bigint, "after", 0)
    FROM jsonb_array_elements(CASE query WHEN '[]' THEN '[{}]' ELSE query END) WITH ORDINALITY AS i (one, no) ORDER BY i.no;
END $$;
COMMENT ON FUNCTION _evercore_items(jsonb, bigint) IS 'The items of a query.';

-- == What matches ==

-- The first events that match an item, by the index that finds them. Where it has several tags, from the one with the fewest events on.
CREATE OR REPLACE FUNCTION _evercore_matches(types text[], tags text[], "after" bigint, upto bigint, most bigint) RETURNS TABLE ("position" bigint)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
  rarest text := tags[1];
BEGIN
  IF tags IS NULL AND (types IS NULL OR NOT _evercore_has_index_by_type()) THEN
    RETURN QUERY SELECT e.position FROM evercore_event e WHERE e.position > "after" AND e.position <= upto AND (types IS NULL OR e.event_type = ANY (types))
      ORDER BY e.position LIMIT most;
  ELSIF tags IS NULL THEN
    RETURN QUERY
    SELECT m.position FROM unnest(types) AS k (name), LATERAL (
      SELECT e.position FROM evercore_event e WHERE @of_type(k.name COLLATE "C"; "after"; upto)@
       ORDER BY e.event_type, e.position LIMIT most) m
     ORDER BY 1 LIMIT most;
  ELSE
    IF @look_for_tags@ THEN PERFORM _evercore_require_filled(types, tags); END IF;
    IF cardinality(tags) > 1 THEN rarest := _evercore_rarest(tags); END IF;
    tags := array_remove(tags, rarest);
    IF types IS NULL THEN
      types := _evercore_types_of_tag(rarest);
      IF tags <> '{}' THEN types := ARRAY(SELECT k FROM unnest(types) AS k WHERE (SELECT bool_and(EXISTS (
        SELECT FROM evercore_event_tag y WHERE y.tag = o.tag COLLATE "C" AND y.event_type = k COLLATE "C")) FROM unnest(tags) AS o (tag))); END IF;
    END IF;
    RETURN QUERY
    SELECT m.position FROM unnest(types) AS k (name), LATERAL (
      SELECT x.position FROM evercore_event_tag x
       WHERE x.tag = rarest COLLATE "C" AND x.event_type = k.name COLLATE "C" AND x.position > "after" AND x.position <= upto
         AND CASE cardinality(tags) WHEN 0 THEN true
               WHEN 1 THEN EXISTS (SELECT FROM evercore_event_tag y WHERE y.tag = tags[1] COLLATE "C" AND y.event_type = x.event_type AND y.position = x.position)
               ELSE NOT EXISTS (
                 SELECT FROM unnest(tags) AS o (tag) WHERE NOT EXISTS (
                   SELECT FROM evercore_event_tag y WHERE y.tag = o.tag COLLATE "C" AND y.event_type = x.event_type AND y.position = x.position)) END
       ORDER BY x.position LIMIT most) m
     ORDER BY 1 LIMIT most;
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_matches(text[], text[], bigint, bigint, bigint) IS 'The positions of the first events that match an item of a query.';

CREATE OR REPLACE FUNCTION _evercore_rarest(tags text[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  rarest text;
  amount bigint;
BEGIN
  FOREACH amount IN ARRAY '{100,1500,10000}'::bigint[] LOOP
    SELECT t.tag, c.amount INTO rarest, amount FROM unnest(tags) WITH ORDINALITY AS t (tag, no),
           LATERAL (SELECT nullif(count(*), amount) AS amount FROM (SELECT FROM evercore_event_tag x WHERE x.tag = t.tag COLLATE "C" LIMIT amount) y) c
     ORDER BY c.amount, t.no LIMIT 1;
    EXIT WHEN amount IS NOT NULL;
  END LOOP;
  RETURN rarest;
END $$;
COMMENT ON FUNCTION _evercore_rarest(text[]) IS 'The tag with the fewest events, where one has less than 10,000.';

-- A tag may have many events but has few types, so each type is found by one look at the index.
CREATE OR REPLACE FUNCTION _evercore_types_of_tag(wanted text) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    WITH RECURSIVE k (name) AS (
      (SELECT x.event_type FROM evercore_event_tag x WHERE x.tag = wanted COLLATE "C" ORDER BY x.event_type LIMIT 1)
      UNION ALL
      SELECT (SELECT x.event_type FROM evercore_event_tag x WHERE x.tag = wanted COLLATE "C" AND x.event_type > k.name ORDER BY x.event_type LIMIT 1)
        FROM k WHERE k.name IS NOT NULL)
    SELECT k.name FROM k WHERE k.name IS NOT NULL);
END $$;
COMMENT ON FUNCTION _evercore_types_of_tag(text) IS 'The types of the events that bear a tag.';

-- EV010 where compaction removed what an item without tags asks for. Called after the statement that read the events: what is removed in between
-- was read.
CREATE OR REPLACE FUNCTION _evercore_require_uncompacted(query jsonb, "after" bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off AS $$
DECLARE
  gone record;
BEGIN
  SELECT n.event_type, n.position INTO gone
    FROM _evercore_items(query, "after") WITH ORDINALITY AS i (types, tags, place, no),
         LATERAL unnest(coalesce(i.types, _evercore_compacted_types())) WITH ORDINALITY AS k (name, no),
         LATERAL (SELECT c.event_type, c.position FROM evercore_compacted_type c WHERE c.event_type = k.name COLLATE "C" ORDER BY c.position DESC LIMIT 1) n
   WHERE i.tags IS NULL AND n.position > i.place
   ORDER BY i.no, CASE WHEN i.types IS NULL THEN - n.position END, k.no LIMIT 1;
  IF FOUND THEN PERFORM _evercore_refuse('EV010', format('events of "%s" up to %s were compacted', gone.event_type, gone.position)); END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_uncompacted(jsonb, bigint) IS 'EV010 where events that a query asks for by type alone were compacted.';

CREATE OR REPLACE FUNCTION _evercore_compacted_types() RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    WITH RECURSIVE k (name) AS (
      (SELECT c.event_type FROM evercore_compacted_type c ORDER BY c.event_type LIMIT 1)
      UNION ALL
      SELECT (SELECT c.event_type FROM evercore_compacted_type c WHERE c.event_type > k.name ORDER BY c.event_type LIMIT 1) FROM k WHERE k.name IS NOT NULL)
    SELECT k.name FROM k WHERE k.name IS NOT NULL);
END $$;
COMMENT ON FUNCTION _evercore_compacted_types() IS 'The types of the events that compaction removed.';

-- == Keys ==

-- In one order, whoever takes them: tags, types, the store's own. Waited for where a condition holds or wants one alone. `first`: whether the
-- transaction holds none so far. A transaction of very many takes the store's key alone instead. How many they are a setting remembers, which
-- counts a key that is asked for again; where it says too many, they are counted.
CREATE OR REPLACE FUNCTION _evercore_hold_keys(types text[], tags text[], condition jsonb, first boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  by_type boolean := coalesce(@look_for_types@ AND (SELECT d.by_type FROM _evercore_declared d), false);
  lone text := CASE WHEN jsonb_array_length(condition) = 1 THEN condition #>> '{0,tags,0}' END;  -- the tag of the condition's only item
  spaces integer[];
  keys integer[];
  alone boolean[];
  held bigint;
  done boolean;
BEGIN
  -- Whether there is an index by type may be read from a snapshot older than its declaration.
  IF current_setting('transaction_isolation') NOT LIKE 'read %' AND @look_for_types@ THEN PERFORM FROM _evercore_declared FOR SHARE; END IF;
  IF NOT by_type AND (condition IS NULL OR lone IS NOT NULL) THEN  -- what the statement below says, for most events and conditions
    keys := ARRAY(SELECT DISTINCT hashtext(t COLLATE "C") FROM unnest(CASE WHEN lone IS NULL THEN tags ELSE tags || lone END) AS t ORDER BY 1);
    spaces := array_fill(@tag_keys@, ARRAY[cardinality(keys)]);
    alone := array_fill(false, ARRAY[cardinality(keys)]);
    IF keys = '{}' THEN RETURN; END IF;
    IF lone IS NOT NULL THEN alone[array_position(keys, hashtext(lone COLLATE "C"))] := true; END IF;
  ELSE
    SELECT array_agg(k.space ORDER BY k.no, k.key), array_agg(k.key ORDER BY k.no, k.key), array_agg(k.alone ORDER BY k.no, k.key) INTO spaces, keys, alone FROM (
      SELECT w.no, w.space, w.key, bool_or(w.alone) AS alone FROM (
        SELECT 1 AS no, @tag_keys@ AS space, hashtext(t COLLATE "C") AS key, false AS alone FROM unnest(tags) AS t
        UNION ALL
        SELECT 2, @type_keys@, hashtext(t COLLATE "C"), false FROM unnest(types) AS t WHERE by_type
        UNION ALL
        SELECT 1, @tag_keys@, hashtext(i.tags[1] COLLATE "C"), true FROM _evercore_items(condition, 0) AS i WHERE i.tags IS NOT NULL
        UNION ALL
        SELECT 2, @type_keys@, hashtext(t COLLATE "C"), true FROM _evercore_items(condition, 0) AS i, unnest(i.types) AS t WHERE i.tags IS NULL AND by_type) w
       GROUP BY 1, 2, 3) k;
  END IF;
  IF keys IS NULL AND condition IS NULL THEN RETURN; END IF;
  held := coalesce(cardinality(keys), 0) + CASE WHEN first THEN 0 ELSE coalesce(substring(current_setting(@keys_setting@, true) FROM '^[0-9]{1,9}$')::bigint, 0) END;
  IF held > @max_keys@ THEN
    held := coalesce(cardinality(keys), 0) + (
      SELECT count(*) FROM pg_lock_status() l
       WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND (@holds_key(@tag_keys@)@ OR @holds_key(@type_keys@)@)
         AND NOT EXISTS (SELECT FROM unnest(keys, spaces) AS k (key, space) WHERE l.objid::bigint = k.key::bigint & 4294967295
                                                                              AND l.classid::bigint = k.space::bigint & 4294967295));
  END IF;
  IF condition = '[]' OR held > @max_keys@ THEN
    PERFORM pg_advisory_xact_lock(@store_keys@, 0);
    RETURN;
  END IF;
  IF NOT first THEN PERFORM set_config(@keys_setting@, held::text, true); END IF;
  FOR i IN 1 .. coalesce(cardinality(keys), 0) LOOP
    IF alone[i] THEN
      done := pg_advisory_xact_lock(spaces[i], keys[i]) IS NULL;
    ELSE
      done := pg_advisory_xact_lock_shared(spaces[i], keys[i]) IS NULL;
    END IF;
  END LOOP;
  done := pg_advisory_xact_lock_shared(@store_keys@, 0) IS NULL;
END $$;
COMMENT ON FUNCTION _evercore_hold_keys(text[], text[], jsonb, boolean) IS
  'Waits for the keys of the events that are to be written and of the condition that they are under, and holds them.';

-- Those of the types of a plain document, which has no tags.
CREATE OR REPLACE FUNCTION _evercore_hold_types(parsed jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_hold_keys(ARRAY(SELECT DISTINCT e->>'event_type' FROM jsonb_array_elements(parsed) AS a, jsonb_array_elements(a->'events') AS e), NULL, NULL, false);
END $$;
COMMENT ON FUNCTION _evercore_hold_types(jsonb) IS 'Holds the keys of the types of events that are to be written.';

-- The least floor of another transaction that may be about to commit an event which matches the query.
CREATE OR REPLACE FUNCTION _evercore_query_floor(query jsonb, by_type boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
BEGIN
  RETURN (
    WITH l AS MATERIALIZED (SELECT x.* FROM pg_lock_status() x WHERE x.locktype = 'advisory' AND x.granted AND x.pid IS DISTINCT FROM pg_backend_pid()
                               AND x.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
         f AS (SELECT l.virtualtransaction AS whose, min(CASE l.objsubid WHEN 1 THEN ((l.classid::bigint << 32) | l.objid::bigint) & @max_position@ ELSE 0 END) AS place
                 FROM l WHERE @floor_lock@ GROUP BY 1)
    SELECT min(f.place) FROM f
     WHERE EXISTS (SELECT FROM l WHERE l.virtualtransaction = f.whose AND l.mode = 'ExclusiveLock' AND @holds_key(@store_keys@)@)
        OR EXISTS (SELECT FROM _evercore_items(query, 0) AS i
                    WHERE CASE WHEN i.tags IS NOT NULL THEN NOT EXISTS (
                                 SELECT FROM unnest(i.tags) AS t WHERE NOT EXISTS (
                                   SELECT FROM l WHERE l.virtualtransaction = f.whose AND @holds_key(@tag_keys@)@
                                                   AND l.objid::bigint = hashtext(t COLLATE "C")::bigint & 4294967295))
                               WHEN i.types IS NOT NULL AND by_type THEN EXISTS (
                                 SELECT FROM unnest(i.types) AS t, l WHERE l.virtualtransaction = f.whose AND @holds_key(@type_keys@)@
                                                                       AND l.objid::bigint = hashtext(t COLLATE "C")::bigint & 4294967295)
                               ELSE true END));
END $$;
COMMENT ON FUNCTION _evercore_query_floor(jsonb, boolean) IS 'Above which position an event that matches may still appear, NULL where none may.';

-- == Asking, and appending under a condition ==

-- Who asks looks, each in a snapshot of its own: at the newest position drawn, at the floors, at the events.
CREATE OR REPLACE FUNCTION evercore_query(query text, "after" bigint DEFAULT NULL, "limit" bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  wanted jsonb;
  start bigint := coalesce(evercore_query."after", 0);
  head bigint;
  places bigint[];
BEGIN
  PERFORM _evercore_ready(), _evercore_read_committed('a query');
  IF query IS NULL THEN PERFORM _evercore_refuse('EV009', 'query is NULL'); END IF;
  wanted := CASE WHEN @plain_condition(query; string_to_array(query, '"'))@ THEN query::jsonb ELSE _evercore_read_query(query COLLATE "C", 'query') END;
  PERFORM _evercore_number(evercore_query."limit", 'limit', 0, NULL);
  IF pg_is_in_recovery() THEN
    head := (SELECT max(f.floor) FROM _evercore_floor f);
  ELSE
    PERFORM _evercore_check_replica(), _evercore_check_log();
    head := @last_position@;
    IF start > head THEN PERFORM _evercore_beyond(start); END IF;
    LOCK TABLE evercore_event IN ACCESS SHARE MODE;  -- the index by type stays what it is
    head := least(head, _evercore_query_floor(wanted, (SELECT d.by_type FROM _evercore_declared d)));
  END IF;
  IF wanted = '[]' THEN
    RETURN QUERY
    SELECT @log_row@
      FROM @log_from(evercore_event e)@
     WHERE e.position > start AND e.position <= head ORDER BY e.position LIMIT evercore_query."limit";
  ELSE
    places := CASE WHEN jsonb_array_length(wanted) = 1 THEN  -- what the other branch says, for most queries
      ARRAY(SELECT m.position FROM _evercore_matches(@names_of(wanted->0; types)@, @names_of(wanted->0; tags)@, start, head, evercore_query."limit") AS m) ELSE
      ARRAY(SELECT DISTINCT m.position FROM _evercore_items(wanted, start) AS i,
                           LATERAL _evercore_matches(i.types, i.tags, start, head, evercore_query."limit") AS m ORDER BY 1 LIMIT evercore_query."limit") END;
    RETURN QUERY
    SELECT @log_row@
      FROM unnest(places) AS m (position) @log_at@
     ORDER BY e.position;
  END IF;
  IF wanted = '[]' OR jsonb_path_exists(wanted, '$[*] ? (!exists (@.tags))') THEN PERFORM _evercore_require_uncompacted(wanted, start); END IF;
END $$;
COMMENT ON FUNCTION evercore_query(text, bigint, bigint) IS
  'The events after a position that match a query, in order; nothing that matches can still appear at or below the last; READ COMMITTED only.';

-- Its statements run after the keys are held.
CREATE OR REPLACE FUNCTION _evercore_check_condition(condition jsonb, "after" bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  match bigint;
  item jsonb := CASE WHEN jsonb_array_length(condition) = 1 THEN condition->0 END;
BEGIN
  IF item ? 'tags' THEN  -- what the other branch says, for most conditions
    match := (SELECT m.position FROM _evercore_matches(@names_of(item; types)@, @names_of(item; tags)@,
                                                       coalesce((item->>'after')::numeric::bigint, "after", 0), 9223372036854775807, 1) AS m);
  ELSE
    IF EXISTS (SELECT FROM _evercore_items(condition, "after") AS i WHERE i.tags IS NULL) AND (SELECT d.by_type FROM _evercore_declared d) IS NOT TRUE THEN
      PERFORM _evercore_refuse('EV010', 'a condition without tags needs the index by type: SELECT evercore_index_types()');
    END IF;
    SELECT min(m.position) INTO match FROM _evercore_items(condition, "after") AS i,
           LATERAL _evercore_matches(i.types, i.tags, i.place, 9223372036854775807, 1) AS m;
    PERFORM _evercore_require_uncompacted(condition, "after");
  END IF;
  IF match IS NOT NULL THEN
    PERFORM _evercore_refuse_match(match);
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_condition(jsonb, bigint) IS 'EV001 where an event matches the condition; EV010 where that cannot be said.';

CREATE OR REPLACE FUNCTION _evercore_refuse_match(place bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_refuse('EV001', format('conflict: event %s (%s) matches the condition', e.position, e.event_type)) FROM evercore_event e WHERE e.position = place;
END $$;
COMMENT ON FUNCTION _evercore_refuse_match(bigint) IS 'EV001 for an event that matches a condition.';

CREATE OR REPLACE FUNCTION _evercore_append_under(appends text, condition text, "after" bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  wanted jsonb;
  parsed jsonb;
  plain boolean;
BEGIN
  PERFORM _evercore_ready(), _evercore_read_committed('a condition');
  BEGIN
    parsed := appends::jsonb;
    plain := _evercore_plain_appends(appends COLLATE "C", parsed, parsed::text);
  EXCEPTION WHEN OTHERS THEN
    plain := false;
  END;
  IF plain IS NOT TRUE THEN PERFORM _evercore_check_appends(appends COLLATE "C"); END IF;
  wanted := _evercore_read_query(condition COLLATE "C", 'condition');
  PERFORM _evercore_number("after", 'after', 0, NULL);
  IF "after" > @last_position@ THEN PERFORM _evercore_beyond("after"); END IF;
  IF json_array_length(appends::json) > 0 THEN RETURN _evercore_append_document(appends, wanted, "after"); END IF;
  LOCK TABLE evercore_aggregate IN ROW EXCLUSIVE MODE;  -- as who enters: a condition is READ COMMITTED
  PERFORM _evercore_hold_keys(NULL, NULL, wanted, false), _evercore_check_condition(wanted, "after");
  RETURN '[]';
END $$;
COMMENT ON FUNCTION _evercore_append_under(text, text, bigint) IS
  'Appends where no event that matches the condition, a query, stands above a position; else EV001, and nothing is written.';

-- == The index by type ==

CREATE OR REPLACE FUNCTION evercore_index_types("on" bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  wanted boolean := coalesce("on", 1) = 1;
BEGIN
  @home@
  PERFORM _evercore_ready();
  IF "on" NOT IN (0, 1) THEN PERFORM _evercore_refuse('EV009', 'on is out of range: ' || "on"); END IF;
  IF wanted = (SELECT d.by_type FROM _evercore_declared d)
     AND (CASE WHEN wanted THEN _evercore_has_index_by_type() ELSE to_regclass('@extschema@.evercore_event_by_type') IS NULL END) THEN
    RETURN wanted::integer;
  END IF;
  PERFORM _evercore_enter_declaration();
  -- The index comes before the flag, so that whoever sees the flag finds the index.
  IF wanted THEN PERFORM _evercore_mark(@by_type@); END IF;
  UPDATE _evercore_declared d SET by_type = wanted;
  PERFORM _evercore_declaration_written(FOUND, '_evercore_declared');
  IF wanted THEN PERFORM _evercore_mend_index_by_type(); ELSE DROP INDEX IF EXISTS evercore_event_by_type; END IF;
  RETURN wanted::integer;
END $$;
COMMENT ON FUNCTION evercore_index_types(bigint) IS
  'Makes (1, the default) or drops (0) the index by event type, which conditions without tags need; gives 1 or 0.';

CREATE OR REPLACE FUNCTION _evercore_mend_index_by_type() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF _evercore_has_index_by_type() OR (SELECT d.by_type FROM _evercore_declared d) IS NOT TRUE THEN RETURN; END IF;
  IF to_regclass('@extschema@.evercore_event_by_type') IS NOT NULL THEN DROP INDEX evercore_event_by_type; END IF;  -- without a notice
  CREATE INDEX evercore_event_by_type ON evercore_event (event_type, position);
END $$;
COMMENT ON FUNCTION _evercore_mend_index_by_type() IS 'Makes the index by type where it is declared and missing.';
