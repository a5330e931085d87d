-- Event types: what is declared of them, how they fold, what data they take and which tags their events bear by themselves, and the tags of events that were
-- there before.
--
-- Declared tags are an object of prefixes and JSON Pointers into the data. An append derives them under its aggregate's lock, so that a
-- declaration, which is serial with all writers (see locks.sql), is seen by those that come after it. That there is one at all is a mark
-- beside the positions: a store that declares no tags pays nothing.
--
-- A declaration adds to old events what they lack, and takes nothing away. Of more than 100,000 that is left to evercore_fill, which goes
-- by position and notes how far it is in the type's row. Until it is done, whoever asks for such tags is refused in the snapshot that he
-- reads in: so filling needs no keys (see query.sql).

-- == What a declaration is ==

-- The first fault in the order of the text, with its code, or NULL.
CREATE OR REPLACE FUNCTION _evercore_declared_fault(declared json) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  one record;
  pointer text COLLATE "C";
BEGIN
  IF json_typeof(declared) <> 'object' THEN RETURN 'EV009: tags: not an object'; END IF;
  IF (SELECT count(*) FROM json_object_keys(declared)) > @max_tags@ THEN RETURN 'EV009: tags: more than @max_tags@'; END IF;
  FOR one IN SELECT d.key, d.value, 'EV009: tags: /' || replace(replace(d.key, '~', '~0'), '/', '~1') AS place FROM json_each(declared) AS d LOOP
    IF one.key = '' THEN RETURN 'EV005: prefix is empty'; END IF;
    IF char_length(one.key) >= @max_name@ THEN RETURN 'EV005: prefix is longer than ' || @max_name@ - 1 || ' characters'; END IF;
    IF json_typeof(one.value) <> 'string' THEN RETURN one.place || ': not text'; END IF;
    pointer := one.value #>> '{}';
    IF pointer !~ '^(/([^~]|~[01])*)?$' THEN RETURN one.place || ': not a pointer'; END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_declared_fault(json) IS 'What is wrong with declared tags, or NULL.';

-- The member of options that declares tags, as it was given; NULL where there is none.
CREATE OR REPLACE FUNCTION _evercore_read_options(options text) RETURNS json
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  member text;
  declared json;
  fault text;
BEGIN
  IF options IS NULL THEN RETURN NULL; END IF;
  PERFORM _evercore_payload(options COLLATE "C", 'options');
  FOR member IN SELECT json_object_keys(options::json) LOOP
    IF member NOT IN ('schema', 'upcast', 'tags') THEN PERFORM _evercore_refuse('EV009', 'options: unknown member "' || member || '"'); END IF;
  END LOOP;
  PERFORM _evercore_option_schema(options), _evercore_option_upcast(options);
  declared := options::json->'tags';
  IF declared::jsonb IN ('null', '[]') THEN RETURN 'null'; END IF;
  IF declared IS NOT NULL THEN fault := _evercore_declared_fault(declared); END IF;
  IF fault IS NOT NULL THEN PERFORM _evercore_refuse(left(fault, 5), substr(fault, 8)); END IF;
  RETURN declared;
END $$;
COMMENT ON FUNCTION _evercore_read_options(text) IS 'The declared tags of the options of an event type, all of which it checks; EV004, EV005, EV009.';

-- The prefixes and pointers in order, which is that of the derived tags. NULL where no tags are declared.
CREATE OR REPLACE FUNCTION _evercore_declared_list(declared json) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF json_typeof(declared) <> 'object' THEN RETURN NULL; END IF;
  RETURN (SELECT array_agg(p.part ORDER BY d.no, p.no) FROM json_each_text(declared) WITH ORDINALITY AS d (key, value, no),
                 unnest(ARRAY[d.key, d.value]) WITH ORDINALITY AS p (part, no));
END $$;
COMMENT ON FUNCTION _evercore_declared_list(json) IS 'Prefixes and pointers by turns, to compare declarations.';

-- == Declaring ==

-- With the caller's rights: what changes the tags, the schema or the upcast that a type declares is the owner's.
CREATE OR REPLACE FUNCTION evercore_event_type(name text, fold text DEFAULT NULL, options text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @not_renamed@
  IF _evercore_declare_fold(name, fold, options) THEN RETURN name; END IF;
  IF NOT has_function_privilege('@extschema@._evercore_declare_tags(text, text, text)', 'EXECUTE') THEN
    RAISE EXCEPTION 'permission denied to declare % of "%": let the owner of the store run %',
      CASE WHEN options::json->'tags' IS NOT NULL THEN 'tags' WHEN options::json->'schema' IS NOT NULL THEN 'a schema' WHEN options::json->'upcast' IS NOT NULL THEN 'an upcast'
           ELSE 'a fold' END, name,
      format('SELECT %I.evercore_event_type(%L, %L, %L)', (parse_ident('@extschema@'))[1], name, fold, options) USING ERRCODE = '42501';
  END IF;
  PERFORM _evercore_declare_tags(name, fold, options);
  RETURN name;
END $$;
COMMENT ON FUNCTION evercore_event_type(text, text, text) IS
  'Declares how an event type changes the state (merge, patch, custom or rules), what data it takes and which tags its events bear; what is NULL stays as it is.';

CREATE OR REPLACE FUNCTION evercore_event_type(name text, fold text, options anyelement) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @not_renamed@
  RETURN evercore_event_type(name, fold, _evercore_options_text(options));
END $$;
COMMENT ON FUNCTION evercore_event_type(text, text, anyelement) IS 'As the form that takes text.';

CREATE OR REPLACE FUNCTION _evercore_options_text(options anyelement) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN _evercore_document(options, 'options');
END $$;
COMMENT ON FUNCTION _evercore_options_text(anyelement) IS 'Options of any type as text.';

CREATE OR REPLACE FUNCTION _evercore_declare_fold(type text, wanted text, options text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
DECLARE
  declared json;
  given record;
  present record;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(type, 'event_type', @max_name@);
  SELECT f.fold, f.rules INTO given FROM _evercore_read_fold(wanted) f;
  declared := _evercore_read_options(options);
  -- Twice, for another may declare before the lock is there. What was compacted and which snapshots are there is looked at after it: an older
  -- snapshot would miss the newest.
  FOR held IN 0..1 LOOP
    SELECT k.fold, k.rules, k.declares_merge, k.tags INTO present FROM evercore_event_type k WHERE k.name = type COLLATE "C";
    IF declared IS NOT NULL AND _evercore_declared_list(declared) IS DISTINCT FROM _evercore_declared_list(present.tags) THEN RETURN false; END IF;
    IF _evercore_changes_schema(type, options) OR _evercore_changes_upcast(type, options) THEN RETURN false; END IF;
    IF given.fold IS NULL OR given.fold = present.fold AND (given.fold <> 'merge' OR present.declares_merge) AND _evercore_same_rules(given.rules, present.rules) THEN
      RETURN true;
    END IF;
    IF present.declares_merge OR present.fold <> 'merge' THEN RETURN false; END IF;
    IF held = 0 THEN PERFORM _evercore_read_committed('declaring'), _evercore_enter_declaration(); END IF;
  END LOOP;
  IF given.fold <> 'merge' AND _evercore_has_events(type) THEN RETURN false; END IF;
  PERFORM _evercore_change_fold(type, wanted);
  RETURN true;
END $$;
COMMENT ON FUNCTION _evercore_declare_fold(text, text, text) IS
  'Declares the first fold of an event type without events, or what changes no state, and gives true; does nothing and gives false where it is the owner who declares.';

-- Under the lock of declarations, which comes before those of the events: by the index by type, else in a store that never gave more positions than
-- a declaration looks at. Nobody reads a long log for this.
CREATE OR REPLACE FUNCTION _evercore_has_events(type text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET jit = off AS $$
BEGIN
  IF @last_position@ > @max_filled@ AND NOT _evercore_has_index_by_type() THEN RETURN false; END IF;
  RETURN EXISTS (SELECT FROM evercore_event e WHERE e.event_type = type COLLATE "C");
END $$;
COMMENT ON FUNCTION _evercore_has_events(text) IS 'Whether there are events of a type, where that is soon said; else false.';

-- Under the lock of declarations.
CREATE OR REPLACE FUNCTION _evercore_change_fold(type text, wanted text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  given record;
  same boolean;
BEGIN
  SELECT f.fold, f.rules INTO given FROM _evercore_read_fold(wanted) f;
  INSERT INTO evercore_event_type (name, fold) VALUES (type, 'merge') ON CONFLICT DO NOTHING;
  IF given.fold IS NULL THEN RETURN; END IF;
  same := (SELECT k.fold = given.fold AND _evercore_same_rules(k.rules, given.rules) FROM evercore_event_type k WHERE k.name = type COLLATE "C");
  IF same IS NOT TRUE THEN PERFORM _evercore_require_uncompacted_folds(type); END IF;
  UPDATE evercore_event_type k SET fold = given.fold, rules = given.rules, declares_merge = given.fold = 'merge'
   WHERE k.name = type COLLATE "C" AND (same IS NOT TRUE OR k.declares_merge <> (given.fold = 'merge'));
  IF NOT FOUND AND same THEN RETURN; END IF;
  PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
  IF same IS NOT TRUE THEN PERFORM _evercore_drop_engine_snapshots(type); END IF;
END $$;
COMMENT ON FUNCTION _evercore_change_fold(text, text) IS 'Changes how an event type changes the state, where it does not yet; NULL is no change.';

CREATE OR REPLACE FUNCTION _evercore_require_uncompacted_folds(type text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  aggregate bigint;
BEGIN
  SELECT min(a.aggregate_id) INTO aggregate FROM evercore_aggregate a
   WHERE a.base > 0 AND NOT a.erased
     AND (EXISTS (SELECT FROM evercore_compacted_type c WHERE c.aggregate_id = a.aggregate_id AND c.event_type = type COLLATE "C")
          OR EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id AND e.event_type = type COLLATE "C"));
  IF aggregate IS NOT NULL THEN
    RAISE EXCEPTION 'EV010: event type "%" folded into compacted aggregate %', type, aggregate USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_uncompacted_folds(text) IS 'EV010 where events of a type are folded into an aggregate that was compacted.';

-- Of a compacted aggregate the base stays: nothing that is concerned lies under it.
CREATE OR REPLACE FUNCTION _evercore_drop_engine_snapshots(type text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  DELETE FROM evercore_snapshot s WHERE s.version IS NULL
     AND EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = s.aggregate_id AND e.event_type = type COLLATE "C")
     AND NOT EXISTS (SELECT FROM evercore_aggregate a WHERE a.aggregate_id = s.aggregate_id AND a.base = s.sequence AND a.base > 0);
  PERFORM _evercore_renew_kept_states(type);
END $$;
COMMENT ON FUNCTION _evercore_drop_engine_snapshots(text) IS 'Drops the engine snapshots of aggregates that have events of a type, and makes what is kept of their states anew.';

CREATE OR REPLACE FUNCTION _evercore_declare_tags(type text, wanted text, options text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp SET jit = off AS $$
DECLARE
  declared json := nullif(_evercore_read_options(options)::text, 'null');
  upcast boolean;
BEGIN
  IF _evercore_declared_list(declared) IS NULL THEN declared := NULL; END IF;
  PERFORM _evercore_read_committed('declaring'), _evercore_enter_declaration(), _evercore_change_fold(type, wanted), _evercore_change_schema(type, options);
  upcast := _evercore_change_upcast(type, options);
  -- They may be declared in this way already, perhaps by another call just now.
  PERFORM FROM evercore_event_type k
    WHERE k.name = type COLLATE "C" AND (options::json->'tags' IS NULL OR _evercore_declared_list(k.tags) IS NOT DISTINCT FROM _evercore_declared_list(declared));
  IF NOT FOUND THEN
    UPDATE evercore_event_type k SET tags = declared WHERE k.name = type COLLATE "C";
    PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
  ELSIF NOT upcast THEN
    RETURN;
  END IF;
  PERFORM _evercore_tag_old_events(type);
END $$;
COMMENT ON FUNCTION _evercore_declare_tags(text, text, text) IS 'Declares the fold, the schema, the upcast and the tags of an event type, and tags what is there; EV010.';

-- == The tags of events that are there ==

-- Tags the old events of a type whose tags or upcast changed.
CREATE OR REPLACE FUNCTION _evercore_tag_old_events(type text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  declared json;
  gone bigint;
  places bigint[];
BEGIN
  UPDATE evercore_event_type k SET filled_to = 0, unfilled = 0 WHERE k.name = type COLLATE "C" RETURNING k.tags INTO declared;
  PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
  IF declared IS NULL THEN RETURN; END IF;
  SELECT max(c.position) INTO gone FROM evercore_compacted_type c JOIN evercore_aggregate a ON a.aggregate_id = c.aggregate_id
   WHERE c.event_type = type COLLATE "C" AND NOT a.erased;
  IF gone IS NOT NULL THEN PERFORM _evercore_refuse('EV010', format('events of "%s" up to %s were compacted', type, gone)); END IF;
  PERFORM _evercore_mark(@declares_tags@);
  places := ARRAY(SELECT e.position FROM evercore_event e WHERE e.event_type = type COLLATE "C" ORDER BY e.position LIMIT @max_filled@ + 1);
  IF cardinality(places) <= @max_filled@ THEN
    PERFORM _evercore_tag_events(type, declared, places);
  ELSE
    UPDATE evercore_event_type k SET unfilled = (SELECT count(*) FROM evercore_event e WHERE e.event_type = type COLLATE "C") WHERE k.name = type COLLATE "C";
    PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_tag_old_events(text) IS 'Gives the events of a type that are there its declared tags, or leaves that to evercore_fill; EV010.';

-- Derived tags that an event lacks come after those that were derived before.
CREATE OR REPLACE FUNCTION _evercore_tag_events(type text, declared json, places bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  steps text[] := (SELECT k.upcast_steps FROM evercore_event_type k WHERE k.name = type COLLATE "C");
  whole boolean;
BEGIN
  PERFORM _evercore_open_log(true);
  WITH event AS MATERIALIZED (
    SELECT e.position, e.tags, e.data, e.declared_tags FROM unnest(places) AS p (place) JOIN evercore_event e ON e.position = p.place
      JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id WHERE NOT a.erased ORDER BY e.position
  ), lacking AS MATERIALIZED (
    SELECT e.position, coalesce(b.bears, '{}') AS bears, coalesce(e.declared_tags, 0) AS derived,
           _evercore_lacking(e.position, _evercore_derive_stored(declared, steps, e.data), coalesce(b.bears, '{}')) AS added
      FROM event e, LATERAL (SELECT CASE WHEN e.tags IS NOT NULL THEN _evercore_tags(e.tags::text) END AS bears) b
     WHERE e.tags IS NULL OR b.bears IS NOT NULL
  ), changed AS (
    UPDATE evercore_event e SET tags = array_to_json(l.bears[:l.derived] || l.added || l.bears[l.derived + 1:]), declared_tags = l.derived + cardinality(l.added)
      FROM lacking l WHERE e.position = l.position AND l.added <> '{}' RETURNING e.position
  ), indexed AS (
    INSERT INTO evercore_event_tag SELECT t, type, l.position FROM lacking l, unnest(l.added) AS t RETURNING position
  )
  SELECT (SELECT count(*) FROM changed) = count(*) FILTER (WHERE l.added <> '{}') AND (SELECT count(*) FROM indexed) = coalesce(sum(cardinality(l.added)), 0)
    INTO whole FROM lacking l;
  PERFORM _evercore_open_log(false);
  IF NOT whole THEN PERFORM _evercore_refuse_tags(); END IF;
END $$;
COMMENT ON FUNCTION _evercore_tag_events(text, json, bigint[]) IS 'Adds to events of a type what they lack of its declared tags; EV009.';

CREATE OR REPLACE FUNCTION _evercore_lacking(place bigint, derived text[], bears text[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  added text[] := ARRAY(SELECT d.tag FROM unnest(derived) WITH ORDINALITY AS d (tag, no) WHERE d.tag COLLATE "C" <> ALL (bears) ORDER BY d.no);
BEGIN
  IF added <> '{}' THEN PERFORM _evercore_check_bears(bears || added, '', format('EV009: event %s: ', place)); END IF;
  RETURN added;
END $$;
COMMENT ON FUNCTION _evercore_lacking(bigint, text[], text[]) IS 'Which derived tags an event lacks; EV009 where it cannot bear them.';

-- The rows of types come first, by name, those of events before those of aggregates, then all aggregates by id, as in every call: no other order
-- would do (see locks.sql).
CREATE OR REPLACE FUNCTION evercore_fill(max bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  places bigint[];
  part bigint[];
  room bigint := max;
  aggregates bigint[];
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_number(max, 'max', 1, NULL), _evercore_read_committed('filling'), _evercore_enter();
  FOR one IN SELECT k.name FROM evercore_event_type k WHERE k.unfilled > 0 ORDER BY k.name LOOP
    EXIT WHEN room = 0;
    SELECT k.name, k.tags, k.filled_to, k.unfilled INTO one FROM evercore_event_type k WHERE k.name = one.name FOR NO KEY UPDATE;
    part := ARRAY(SELECT e.position FROM evercore_event e WHERE e.event_type = one.name AND e.position > one.filled_to
                   ORDER BY e.position LIMIT least(room, one.unfilled));
    UPDATE evercore_event_type k SET filled_to = coalesce(part[cardinality(part)], one.filled_to),
                                     unfilled = CASE WHEN cardinality(part) < least(room, one.unfilled) THEN 0 ELSE one.unfilled - cardinality(part) END
     WHERE k.name = one.name;
    PERFORM _evercore_declaration_written(FOUND, 'evercore_event_type');
    places := places || part;
    room := room - cardinality(part);
  END LOOP;
  aggregates := _evercore_next_unkept(room);
  PERFORM FROM evercore_aggregate a
    WHERE a.aggregate_id IN (SELECT e.aggregate_id FROM unnest(places) AS p (place) JOIN evercore_event e ON e.position = p.place UNION SELECT unnest(aggregates))
    ORDER BY a.aggregate_id FOR NO KEY UPDATE;
  PERFORM _evercore_tag_events(k.name, k.tags, p.places)
    FROM (SELECT e.event_type, array_agg(e.position ORDER BY e.position) AS places FROM unnest(places) AS u (place) JOIN evercore_event e ON e.position = u.place
           GROUP BY 1) p JOIN evercore_event_type k ON k.name = p.event_type;
  PERFORM _evercore_make_up_states(aggregates);
  RETURN (SELECT coalesce(sum(k.unfilled), 0) FROM evercore_event_type k WHERE k.unfilled > 0) + (SELECT coalesce(sum(t.unfilled), 0) FROM evercore_aggregate_type t);
END $$;
COMMENT ON FUNCTION evercore_fill(bigint) IS 'Does what declarations left undone, for at most so many events and aggregates; gives how many are left, 0 when done.';

-- STABLE: it looks in the snapshot of the statement that reads by these tags.
CREATE OR REPLACE FUNCTION _evercore_require_filled(types text[], wanted text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
  unfilled text;
BEGIN
  SELECT k.name INTO unfilled FROM evercore_event_type k
   WHERE k.unfilled > 0 AND (types IS NULL OR k.name = ANY (types COLLATE "C"))
     AND EXISTS (SELECT FROM json_object_keys(k.tags) AS d (prefix), unnest(wanted) AS w (tag) WHERE starts_with(w.tag, d.prefix || ':'))
   ORDER BY k.name LIMIT 1;
  IF unfilled IS NOT NULL THEN
    RAISE EXCEPTION 'EV010: events of "%" are not tagged yet: SELECT evercore_fill()', unfilled USING ERRCODE = 'EV010';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_filled(text[], text[]) IS 'EV010 where events that may bear one of these tags are yet to be tagged.';
