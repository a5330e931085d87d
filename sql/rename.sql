-- Another name for an event type or an aggregate type, everywhere at once: events, declarations, what compaction remembers, filters
-- and policies. Data and ids stay. Events bear the name of their type, so that the rows of an event type are written again.
--
-- It is a declaration (see locks.sql): it waits for open appends, and later ones wait for it. Then it locks all subscriptions at once,
-- and waits for transactions that use one before it takes any row.

CREATE OR REPLACE FUNCTION evercore_rename_type(kind text, old text, new text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  known boolean;
  taken boolean;
BEGIN
  @home@
  PERFORM _evercore_ready(), _evercore_name(old, 'old', @max_name@), _evercore_name(new, 'new', @max_name@);
  IF kind IS NULL THEN PERFORM _evercore_refuse('EV009', 'kind is NULL'); END IF;
  IF kind NOT IN ('event', 'aggregate') THEN PERFORM _evercore_refuse('EV009', 'kind is not event or aggregate: "' || kind || '"'); END IF;
  PERFORM _evercore_read_committed('renaming a type'), _evercore_enter_declaration();
  LOCK TABLE evercore_subscription IN EXCLUSIVE MODE;
  IF kind = 'event' THEN
    known := _evercore_knows_event_type(old);
    taken := _evercore_knows_event_type(new);
  ELSE
    known := EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.name = old COLLATE "C");
    -- A filter that names a type which the store has not seen yet would begin to pass.
    taken := EXISTS (SELECT FROM evercore_aggregate_type t WHERE t.name = new COLLATE "C")
      OR EXISTS (SELECT FROM evercore_subscription s WHERE s.aggregate_type = new COLLATE "C");
  END IF;
  IF NOT known THEN PERFORM _evercore_refuse('EV002', format('no %s type "%s"', kind, old)); END IF;
  IF old COLLATE "C" = new COLLATE "C" THEN RETURN new; END IF;
  IF taken THEN PERFORM _evercore_refuse('EV010', format('%s type "%s" is there already', kind, new)); END IF;
  IF kind = 'aggregate' THEN
    UPDATE evercore_aggregate_type t SET name = new WHERE t.name = old COLLATE "C";
  ELSE
    PERFORM _evercore_open_log(true);
    UPDATE evercore_event e SET event_type = new WHERE e.event_type = old COLLATE "C";
    PERFORM _evercore_open_log(false);
    UPDATE evercore_event_tag x SET event_type = new WHERE x.event_type = old COLLATE "C";
    PERFORM FROM evercore_event_tag x WHERE x.event_type = old COLLATE "C";
    IF FOUND THEN PERFORM _evercore_refuse_tags(); END IF;
    UPDATE evercore_event_type t SET name = new WHERE t.name = old COLLATE "C";
    -- Rules may put the name of their type into the state.
    PERFORM _evercore_drop_engine_snapshots(new) FROM evercore_event_type t WHERE t.name = new COLLATE "C" AND t.rules IS NOT NULL;
    UPDATE evercore_event_id i SET event_type = new WHERE i.event_type = old COLLATE "C";
    UPDATE evercore_compacted_type c SET event_type = new WHERE c.event_type = old COLLATE "C";
  END IF;
  PERFORM _evercore_rename_in_filters(kind = 'event', old, new);
  RETURN new;
EXCEPTION WHEN unique_violation THEN
  -- Another call made it meanwhile.
  PERFORM _evercore_refuse('EV010', format('%s type "%s" is there already', kind, new));
END $$;
COMMENT ON FUNCTION evercore_rename_type(text, text, text) IS
  'Gives an event type or an aggregate type (kind event or aggregate) another name, everywhere; gives the new name.';

CREATE OR REPLACE FUNCTION _evercore_knows_event_type(wanted text) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
  SELECT EXISTS (SELECT FROM evercore_event_type t WHERE t.name = wanted COLLATE "C")
      OR EXISTS (SELECT FROM evercore_subscription s WHERE wanted COLLATE "C" = ANY (s.event_types))
      OR EXISTS (SELECT FROM evercore_compacted_type c WHERE c.event_type = wanted COLLATE "C")
      OR EXISTS (SELECT FROM evercore_event e WHERE e.event_type = wanted COLLATE "C")
$$;
COMMENT ON FUNCTION _evercore_knows_event_type(text) IS 'Whether an event type is known: by an event, a declaration or a filter, be they there or gone.';

-- The filter passes what it passed, but a fetch under way has read the old name: it looks whether the version is still the same.
CREATE OR REPLACE FUNCTION _evercore_rename_in_filters(of_events boolean, old text, new text) RETURNS void
LANGUAGE sql VOLATILE AS $$
  UPDATE evercore_subscription s SET aggregate_type = f.aggregate_type, event_types = f.event_types, filter = f.canonical, filter_version = s.filter_version + 1
    FROM (SELECT r.subscription_id, c.* FROM (
            SELECT o.subscription_id, o.natural_key, o.tags,
                   CASE WHEN NOT of_events AND o.aggregate_type = old COLLATE "C" THEN new ELSE o.aggregate_type END AS aggregate_type,
                   CASE WHEN of_events THEN array_replace(o.event_types, old COLLATE "C", new COLLATE "C") ELSE o.event_types END AS event_types
              FROM evercore_subscription o
             WHERE CASE WHEN of_events THEN old COLLATE "C" = ANY (o.event_types) ELSE o.aggregate_type = old COLLATE "C" END) r,
          LATERAL _evercore_filter(json_strip_nulls(json_build_object(
            'aggregate_type', r.aggregate_type, 'natural_key', r.natural_key, 'event_types', r.event_types, 'tags', r.tags))::text) c) f
   WHERE s.subscription_id = f.subscription_id
$$;
COMMENT ON FUNCTION _evercore_rename_in_filters(boolean, text, text) IS 'Writes a type''s new name into the filters that name it.';
