-- evercore_fetch: the events after a partition's cursor that pass the filter, in order of position, up to the safe head.
--
-- There are four ways to find them: by the aggregate, where the filter has a natural key; by tag; by event type, where there is an
-- index on it and the position (evercore_index_types makes one); and else by position, looking at each event after the cursor.
-- Whether the token is current, and where its cursor stands, is looked at by the statement that reads the events, in the same
-- snapshot.
--
-- A fetch that would look at very many events without finding one ends empty before the head: it looks at no more than
-- 100,000 positions, or events of its aggregate, and moves the cursor past what it has looked at. That keeps its progress, whatever
-- becomes of its caller.
-- Where it cannot write (on a standby, in a read-only transaction) it looks at all.
--
-- What is called here at each fetch is PL/pgSQL, which keeps its plans: a function in LANGUAGE sql is planned at each call.

-- So is the version of the filter: events of a type that was renamed after the filter was read pass it no more.
CREATE OR REPLACE FUNCTION _evercore_cursor(id bigint, part integer, token bigint, version bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN (SELECT p.position FROM evercore_subscription_partition p
           WHERE p.subscription_id = $1 AND p.partition = $2 AND p.token = $3 AND p.owner IS NOT NULL
             AND (SELECT s.filter_version FROM evercore_subscription s WHERE s.subscription_id = $1) = $4);
END $$;
COMMENT ON FUNCTION _evercore_cursor(bigint, integer, bigint, bigint) IS
  'Where the cursor of a partition stands, or NULL where a token is not its current one, or the filter was changed.';

-- The last sequence of an aggregate at or below a position, by binary search: positions grow with sequences.
CREATE OR REPLACE FUNCTION _evercore_sequence_at(id bigint, place bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  below bigint;
  above bigint;
  middle bigint;
BEGIN
  SELECT a.base, a.sequence + 1 INTO below, above FROM evercore_aggregate a WHERE a.aggregate_id = id;
  WHILE above - below > 1 LOOP
    middle := below + (above - below) / 2;
    IF EXISTS (SELECT FROM evercore_event e WHERE e.aggregate_id = id AND e.sequence = middle AND e.position > place) THEN
      above := middle;
    ELSE
      below := middle;
    END IF;
  END LOOP;
  RETURN below;
END $$;
COMMENT ON FUNCTION _evercore_sequence_at(bigint, bigint) IS 'An aggregate''s last sequence at or below a position.';

CREATE OR REPLACE FUNCTION _evercore_has_index_by_type() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_index i
                   JOIN pg_attribute k ON k.attrelid = i.indexrelid AND k.attnum = 1
                   JOIN pg_attribute p ON p.attrelid = i.indexrelid AND p.attnum = 2
                  WHERE i.indrelid = '@extschema@.evercore_event'::regclass AND i.indisvalid AND i.indpred IS NULL
                    AND k.attname = 'event_type' AND p.attname = 'position');
END $$;
COMMENT ON FUNCTION _evercore_has_index_by_type() IS 'Whether there is an index on event type and position.';

-- The statement that reads `types` event types in the order of positions, each from the index: the server merges them, and takes
-- of each no more than it gives out. $1 the types, $2 the head, $3 to $5 subscription, partition and token, $6 partitions,
-- $7 and $8 name and id of a type of aggregates, $9 the limit, $10 the version of the filter.
CREATE OR REPLACE FUNCTION _evercore_merged(types integer) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT format('WITH c AS MATERIALIZED (SELECT _evercore_cursor($3, $4, $5, $10) AS position)'
                ' SELECT @log_row@ FROM @log_from((%s) e)@'
                ' WHERE @passes_aggregate($7; NULL::text; a.type_id = $8)@ ORDER BY e.position LIMIT $9',
                string_agg('(SELECT * FROM evercore_event x WHERE x.event_type = ($1)[' || i || '] AND x.position <= $2'
                           ' AND x.position > (SELECT c.position FROM c) AND x.aggregate_id % $6 = $4 ORDER BY x.position)', ' UNION ALL ' ORDER BY i))
    FROM generate_series(1, types) AS i
$$;
COMMENT ON FUNCTION _evercore_merged(integer) IS 'The statement that fetches the events of so many types, merged by position.';

-- Notes what an ack of NULL may move past. A row that another transaction has locked is left alone: the next empty fetch notes it again.
CREATE OR REPLACE FUNCTION _evercore_note_seen(id bigint, part integer, token bigint, head bigint, version bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  UPDATE evercore_subscription_partition p SET seen = $4, seen_filter = $5
   WHERE (p.subscription_id, p.partition) = (
           SELECT f.subscription_id, f.partition FROM evercore_subscription_partition f
            WHERE f.subscription_id = $1 AND f.partition = $2 AND f.token = $3 AND f.owner IS NOT NULL
              AND (f.seen IS DISTINCT FROM $4 OR f.seen_filter IS DISTINCT FROM $5)
              FOR NO KEY UPDATE SKIP LOCKED);
END $$;
COMMENT ON FUNCTION _evercore_note_seen(bigint, integer, bigint, bigint, bigint) IS 'Notes up to where an empty fetch has looked.';

-- Moves a cursor over events that its filter keeps out. A row that another transaction has locked is left alone.
CREATE OR REPLACE FUNCTION _evercore_pass_over(id bigint, part integer, token bigint, looked bigint, version bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  UPDATE evercore_subscription_partition p SET position = greatest(p.position, $4), untouched = false
   WHERE (p.subscription_id, p.partition) = (
           SELECT f.subscription_id, f.partition FROM evercore_subscription_partition f
            WHERE f.subscription_id = $1 AND f.partition = $2 AND f.token = $3 AND f.owner IS NOT NULL
              AND (SELECT s.filter_version FROM evercore_subscription s WHERE s.subscription_id = $1) = $5
              FOR NO KEY UPDATE SKIP LOCKED);
END $$;
COMMENT ON FUNCTION _evercore_pass_over(bigint, integer, bigint, bigint, bigint) IS
  'Moves a cursor past what a fetch has looked at in vain.';

-- Where a bounded fetch ends: 100,000 positions on, not counting gaps that it would end in. evercore_restored() leaves a gap of a million
-- positions, which should not cost ten empty fetches.
CREATE OR REPLACE FUNCTION _evercore_fetch_end("after" bigint, head bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  last bigint := "after" + @max_examined@;
  below bigint;
  above bigint;
BEGIN
  FOR gaps IN 1 .. 64 LOOP
    EXIT WHEN last >= head;
    below := coalesce((SELECT e.position FROM evercore_event e WHERE e.position > "after" AND e.position <= last ORDER BY e.position DESC LIMIT 1), "after");
    EXIT WHEN below = last;
    above := (SELECT e.position FROM evercore_event e WHERE e.position > last ORDER BY e.position LIMIT 1);
    IF (above <= head - (last - below)) IS NOT TRUE THEN RETURN head; END IF;
    last := above - 1 + (last - below);
  END LOOP;
  RETURN least(last, head);
END $$;
COMMENT ON FUNCTION _evercore_fetch_end(bigint, bigint) IS 'Up to which position a fetch looks that finds nothing.';

-- The same for one aggregate, of which it looks at 100,000 events.
CREATE OR REPLACE FUNCTION _evercore_fetch_end_of(id bigint, "after" bigint, head bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN least(head, (SELECT e.position - 1 FROM evercore_event e
                       WHERE e.aggregate_id = id AND e.sequence > "after" + @max_examined@ ORDER BY e.sequence LIMIT 1));
END $$;
COMMENT ON FUNCTION _evercore_fetch_end_of(bigint, bigint, bigint)
  IS 'Up to which position a fetch looks that finds nothing after a sequence of its aggregate.';

CREATE OR REPLACE FUNCTION evercore_fetch(name text, token bigint, "limit" bigint DEFAULT NULL)
RETURNS TABLE (@log_columns@)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_sort = off
SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
  most bigint;
  head bigint;
  held record;
  last bigint;
  by_index boolean;
  only_id bigint;
  only_after bigint;
  types text[];
  few record;
  by_few boolean := false;
  hot record;
  by_hot boolean := false;
BEGIN
  @home@
  PERFORM _evercore_check_token(evercore_fetch.name, evercore_fetch.token);
  most := _evercore_number(evercore_fetch."limit", 'limit', 0, 100);
  head := _evercore_safe_head();
  @hold_partition@
  IF NOT held.active OR most = 0 THEN RETURN; END IF;
  by_index := coalesce(held.natural_key, held.tags::text) IS NULL AND cardinality(held.event_types) <= @max_merged_types@ AND _evercore_has_index_by_type();
  last := head;
  IF held.natural_key IS NOT NULL THEN
    SELECT a.aggregate_id INTO only_id FROM evercore_aggregate a
     WHERE a.type_id = held.type_id AND a.natural_key = held.natural_key AND a.aggregate_id % held.partitions = held.partition;
    only_after := _evercore_sequence_at(only_id, held.position);
    IF held.tags IS NOT NULL AND @look_for_tags@ THEN PERFORM _evercore_require_filled(held.event_types, ARRAY(SELECT jsonb_array_elements_text(held.tags))); END IF;
  END IF;
  -- Where all that is looked at passes, as with a natural key alone or an index by type, the limit bounds it.
  IF current_setting('transaction_read_only') = 'off' THEN
    IF held.natural_key IS NOT NULL THEN
      IF held.event_types IS NOT NULL OR held.tags IS NOT NULL THEN last := _evercore_fetch_end_of(only_id, only_after, head); END IF;
    ELSIF held.partitions > 1 OR held.aggregate_type IS NOT NULL OR held.event_types IS NOT NULL AND held.tags IS NULL AND by_index IS NOT TRUE THEN
      last := _evercore_fetch_end(held.position, head);
    END IF;
  END IF;
  IF most >= 128 AND head - held.position >= 128 AND held.filter IS NULL AND held.partitions = 1 THEN
    few := _evercore_few_aggregates(held.position, head, most);
    by_few := few.ids IS NOT NULL;
    IF by_few THEN last := few.last; END IF;
  END IF;
  IF most >= 64 AND head - held.position >= 64 AND held.natural_key IS NULL AND held.tags IS NULL AND NOT by_few AND by_index IS NOT TRUE THEN
    hot := _evercore_hot_aggregates(held.position);
    by_hot := hot.ids IS NOT NULL;
  END IF;
  IF held.natural_key IS NOT NULL THEN
    RETURN QUERY
    SELECT @log_row(aggregate_type=held.aggregate_type; natural_key=held.natural_key)@
      FROM evercore_event e
     WHERE e.aggregate_id = only_id AND e.sequence > only_after
       AND e.sequence <= CASE WHEN last < head THEN only_after + @max_examined@ ELSE 9223372036854775807 END
       AND e.position > @cursor_now@ AND e.position <= last
       AND @passes_event(held.event_types; held.tags)@
     ORDER BY e.sequence LIMIT most;
  ELSIF held.tags IS NOT NULL THEN
    RETURN QUERY
    SELECT @log_row@
      FROM (SELECT _evercore_cursor(held.subscription_id, held.partition, evercore_fetch.token, held.filter_version) AS place) c
           CROSS JOIN LATERAL _evercore_tagged(held.event_types, held.tags, c.place, last, most, held.aggregate_type, held.type_id,
                                               held.partitions, held.partition) m @log_at@
     ORDER BY e.position LIMIT most;
  ELSIF by_few THEN
    RETURN QUERY
    SELECT @log_row(aggregate_type=few.types[array_position(few.ids, e.aggregate_id)]; natural_key=few.keys[array_position(few.ids, e.aggregate_id)])@
      FROM evercore_event e
     WHERE e.position > @cursor_now@ AND e.position <= last
     ORDER BY e.position;
  ELSIF by_index AND cardinality(held.event_types) = 1 THEN
    RETURN QUERY
    SELECT @log_row@
      FROM @log_from(evercore_event e)@
     WHERE @of_type(held.event_types[1]; @cursor_now@; last)@
       AND e.aggregate_id % held.partitions = held.partition
       AND @passes_aggregate(held.aggregate_type; NULL::text; a.type_id = held.type_id)@
     ORDER BY e.event_type, e.position LIMIT most;
  ELSIF by_index THEN
    types := ARRAY (SELECT DISTINCT u.name FROM unnest(held.event_types) AS u (name));
    RETURN QUERY EXECUTE _evercore_merged(cardinality(types))
      USING types, last, held.subscription_id, held.partition, evercore_fetch.token, held.partitions, held.aggregate_type, held.type_id, most,
            held.filter_version;
  ELSIF by_hot THEN
    RETURN QUERY SELECT h.* FROM _evercore_hot_events(
      @cursor_now@, last, held.event_types, held.aggregate_type, held.type_id, held.partitions, held.partition, most,
      hot.ids, hot.type_ids, hot.types, hot.keys) h;
  ELSE
    RETURN QUERY
    SELECT @log_row@
      FROM @log_from(evercore_event e)@
     WHERE e.position > @cursor_now@ AND e.position <= last
       AND (held.partitions = 1 OR e.aggregate_id % held.partitions = held.partition)
       AND @passes(held.event_types; NULL::jsonb; held.aggregate_type; NULL::text; a.type_id = held.type_id)@
     ORDER BY e.position LIMIT most;
  END IF;
  IF NOT FOUND THEN @found_nothing@ END IF;
END $$;
COMMENT ON FUNCTION evercore_fetch(text, bigint, bigint) IS
  'The next events of a partition, at most 100 or as many as said; READ COMMITTED only. EV006 where the token is stale.';
