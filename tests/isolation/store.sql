-- What the permutations share: a store in the same state before each, and what came out.
SET search_path = evercore, public;

CREATE FUNCTION public.data(member text) RETURNS text LANGUAGE sql AS $$ SELECT format('{"x":{"%s":1}}', member) $$;
CREATE FUNCTION public.many() RETURNS text LANGUAGE sql AS $$
  SELECT format('[{"aggregate_type":"T","natural_key":"new","events":[%1$s]},{"aggregate_id":1,"events":[%1$s]},{"aggregate_id":3,"events":[%1$s]}]',
                '{"event_type":"E","data":' || public.data('m') || '}')
$$;
CREATE FUNCTION public.keyed() RETURNS text LANGUAGE sql AS $$
  SELECT format('[{"aggregate_type":"T","natural_key":"one","events":[{"event_type":"E","data":%s}]}]', public.data('k'))
$$;
CREATE FUNCTION public.tagged() RETURNS text LANGUAGE sql AS $$
  SELECT format('[{"aggregate_id":1,"events":[{"event_type":"E","data":%s,"tags":["b","a"]}]}]', public.data('g'))
$$;
CREATE FUNCTION public.declared() RETURNS text LANGUAGE sql AS $$ SELECT '{"tags":{"m":"/x/m","c":"/x/c","a":"/x/a"}}' $$;
CREATE FUNCTION public.rules() RETURNS text LANGUAGE sql AS $$ SELECT '[{"add":{"/events":{"value":1}}},{"patch":""}]' $$;
CREATE FUNCTION public.refusing() RETURNS text LANGUAGE sql AS $$ SELECT '{"schema":{"properties":{"x":{"maxProperties":0}}}}' $$;
CREATE FUNCTION public.lacking_c() RETURNS text LANGUAGE sql AS $$ SELECT '{"schema":{"properties":{"x":{"properties":{"c":false}}}}}' $$;
CREATE FUNCTION public.anything() RETURNS text LANGUAGE sql AS $$ SELECT '{"schema":null}' $$;
CREATE FUNCTION public.checked() RETURNS text LANGUAGE sql AS $$
  SELECT format('[{"aggregate_type":"R","natural_key":"new","events":[%1$s]},{"aggregate_id":6,"events":[%1$s,%1$s]},{"aggregate_id":1,"events":[%1$s]},{"aggregate_id":5,"events":[%1$s]}]',
                '{"event_type":"E","data":' || public.data('m') || '}')
$$;
CREATE FUNCTION public.moving() RETURNS text LANGUAGE sql AS $$ SELECT '{"upcast":[{"move":{"/x/b":"/y/b","/x/c":"/x/a"}},{"default":{"/z":1}}]}' $$;
CREATE FUNCTION public.condition() RETURNS text LANGUAGE sql AS $$ SELECT '[{"tags":["a"]}]' $$;

CREATE FUNCTION public.begin_again() RETURNS void LANGUAGE plpgsql SET search_path = evercore, public AS $$
BEGIN
  PERFORM set_config('evercore.compacting', 'on', true);
  DELETE FROM evercore_event; DELETE FROM evercore_event_tag;
  PERFORM set_config('evercore.compacting', '', true);
  DELETE FROM evercore_aggregate; DELETE FROM evercore_aggregate_type; DELETE FROM evercore_event_type; DELETE FROM evercore_event_id;
  DELETE FROM evercore_snapshot; DELETE FROM evercore_kept_state; DELETE FROM evercore_compacted_type; DELETE FROM evercore_subscription_partition;
  DELETE FROM evercore_subscription; DELETE FROM public.written;
  PERFORM setval(pg_get_serial_sequence('evercore_aggregate', 'aggregate_id'), 1, false);
  INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
    ('T', 'one', 'E', '{"x":{"a":1}}'), ('T', 'one', 'E', '{"x":{"b":2}}'),
    ('T', 'two', 'E', '{"x":{"a":1}}'), ('T', 'two', 'E', '{"x":{"b":2}}'), ('P', 'three', 'E', '{"x":{"a":1}}'),
    ('Q', 'four', 'F', '{"f":1}'), ('R', 'five', 'E', '{"x":{"a":1}}'), ('R', 'six', 'E', '{"x":{"a":1}}'), ('R', 'six', 'E', '{"x":{"b":2}}');
  INSERT INTO evercore_event_type (name, fold, tags, unfilled) VALUES ('F', 'merge', '{"f":"/f"}', 1);
  PERFORM _evercore_mark(17592186044416);
  PERFORM evercore_aggregate_type('R', '{"schema":{"properties":{"x":{"maxProperties":9}}}}');
  DELETE FROM evercore_kept_state k WHERE k.aggregate_id = 6;
  UPDATE evercore_aggregate_type t SET unfilled = 1 WHERE t.name = 'R';
  PERFORM evercore_snapshot(2), evercore_snapshot_policy('P', 2, 1);
END $$;

-- What is to be said of a store, without what differs from run to run: ids, positions, times.
CREATE FUNCTION public.outcome() RETURNS text LANGUAGE sql SET search_path = evercore, public AS $$
  SELECT jsonb_build_object(
    'check', (SELECT coalesce(jsonb_agg(c.problem), '[]') FROM _evercore_check_data() c),
    'folds', (SELECT coalesce(jsonb_object_agg(name, coalesce(rules::text, fold)), '{}') FROM evercore_event_type),
    'upcasts', (SELECT coalesce(jsonb_object_agg(name, upcast), '{}') FROM evercore_event_type WHERE upcast IS NOT NULL),
    'declared', (SELECT coalesce(jsonb_agg(jsonb_build_array(t.event_type, t.tags, t.filled, t.schema) ORDER BY t.event_type), '[]') FROM evercore_event_types t),
    'checked', (SELECT jsonb_agg(jsonb_build_array(t.aggregate_type, t.schema, t.filled) ORDER BY t.aggregate_type) FROM evercore_aggregate_types t),
    'states', (SELECT jsonb_agg(jsonb_build_array(a.natural_key, k.sequence, k.state) ORDER BY a.natural_key)
                 FROM evercore_kept_state k JOIN evercore_aggregate a ON a.aggregate_id = k.aggregate_id),
    'tagged', (SELECT count(*) FROM evercore_event_tag),
    'subscriptions', (SELECT jsonb_agg(s.name) FROM evercore_subscription s),
    'policies', (SELECT jsonb_object_agg(name, snapshot_every) FROM evercore_aggregate_type),
    'aggregates', (SELECT jsonb_agg(jsonb_build_object(
        'key', coalesce(a.natural_key, 'id ' || a.aggregate_id), 'sequence', a.sequence, 'base', a.base, 'erased', a.erased,
        'state', evercore_state(a.aggregate_id),
        'engine', (SELECT jsonb_agg(s.sequence ORDER BY s.sequence) FROM evercore_snapshot s WHERE s.aggregate_id = a.aggregate_id AND s.version IS NULL),
        'saved', (SELECT jsonb_agg(s.sequence ORDER BY s.sequence) FROM evercore_snapshot s WHERE s.aggregate_id = a.aggregate_id AND s.version IS NOT NULL),
        'compacted', (SELECT jsonb_agg(c.event_type) FROM evercore_compacted_type c WHERE c.aggregate_id = a.aggregate_id),
        'kept', (SELECT count(*) FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id),
        'tags', (SELECT jsonb_agg(jsonb_build_array(e.sequence, e.tags, e.declared_tags) ORDER BY e.sequence) FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id),
        'said', (SELECT count(*) FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id AND e.data::text <> '{}'),
        'events', (SELECT jsonb_agg(jsonb_build_array(w.event_type, w.data) ORDER BY w.sequence) FROM public.written w WHERE w.aggregate_id = a.aggregate_id))
      ORDER BY a.natural_key, a.aggregate_id) FROM evercore_aggregate a))::text
$$;
