-- Sequences against what the tables show. The server does not replicate them logically, a restore of data alone may leave them
-- out, and anyone who owns them can set them.

-- Each sequence, how far it must have been drawn at least, and what cursors say besides: of those evercore_check() says so itself.
-- And what values it may give.
CREATE OR REPLACE FUNCTION _evercore_sequences() RETURNS TABLE (name text, least_value bigint, cursors bigint, kind text, smallest bigint, largest bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT s.name, s.least_value, s.cursors, CASE s.name WHEN 'evercore_aggregate_type_type_id_seq' THEN 'integer' ELSE 'bigint' END,
         CASE WHEN s.name IN ('_evercore_timeline', '_evercore_system', '_evercore_highest') THEN -9223372036854775808 ELSE 1 END,
         CASE s.name WHEN 'evercore_event_position_seq' THEN @max_position@ WHEN 'evercore_aggregate_type_type_id_seq' THEN 2147483647
                     ELSE 9223372036854775807 END FROM (VALUES
    ('evercore_event_position_seq', greatest((SELECT max(e.position) FROM evercore_event e), (SELECT max(a.base_position) FROM evercore_aggregate a),
       (SELECT max(i.position) FROM evercore_event_id i), (SELECT max(f.floor) FROM _evercore_floor f), @highest@),
       greatest((SELECT max(s.start_position) FROM evercore_subscription s),
                (SELECT greatest(max(p.position), max(p.seen)) FROM evercore_subscription_partition p))),
    ('evercore_aggregate_aggregate_id_seq', greatest((SELECT max(a.aggregate_id) FROM evercore_aggregate a),
       (SELECT e.aggregate_id FROM evercore_event e ORDER BY e.aggregate_id DESC LIMIT 1)), NULL),
    ('evercore_aggregate_type_type_id_seq', (SELECT max(t.type_id) FROM evercore_aggregate_type t), NULL),
    ('evercore_subscription_subscription_id_seq', greatest((SELECT max(s.subscription_id) FROM evercore_subscription s),
       (SELECT max(p.subscription_id) FROM evercore_subscription_partition p)), NULL),
    ('_evercore_token', (SELECT max(p.token) FROM evercore_subscription_partition p), NULL),
    ('_evercore_highest', NULL, NULL), ('_evercore_timeline', NULL, NULL), ('_evercore_system', NULL, NULL)) AS s (name, least_value, cursors);
END $$;
COMMENT ON FUNCTION _evercore_sequences() IS 'The sequences of the store, and how far each must have been drawn at least.';

CREATE OR REPLACE FUNCTION _evercore_check_sequences() RETURNS TABLE (problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT p.problem FROM _evercore_sequences() s JOIN pg_sequence q ON q.seqrelid = to_regclass('@extschema@.' || s.name),
    LATERAL (VALUES
      (1, CASE WHEN s.least_value > coalesce(pg_sequence_last_value(q.seqrelid), 0)
                    OR s.name = '_evercore_highest' AND coalesce(@marks@, 0) & @declared_marks@ <> @declared_marks@
                  THEN format('sequence %s is behind its table', s.name) END),
      (2, CASE WHEN q.seqcache <> 1 THEN format('sequence %s has a cache', s.name) END),
      (3, CASE WHEN @differs@ THEN format('sequence %s is different', s.name)
               WHEN s.name <> '_evercore_system' AND s.name <> '_evercore_timeline' AND pg_sequence_last_value(q.seqrelid) >= s.largest
                 THEN format('sequence %s has no values left', s.name) END)) AS p (no, problem)
   WHERE p.problem IS NOT NULL ORDER BY s.name, p.no;
END $$;
COMMENT ON FUNCTION _evercore_check_sequences() IS 'What is wrong with sequences.';

-- Values that sessions have cached are lost with RESTART: their cache is of the sequence as it was. The first ALTER waits for
-- transactions that draw, so that what they drew counts.
CREATE OR REPLACE FUNCTION _evercore_mend_sequences() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  one record;
  next bigint;
  marks bigint;
BEGIN
  FOR one IN SELECT s.*, greatest(s.least_value, s.cursors) AS value, q.seqrelid, q.seqcache <> 1 OR @differs@ AS different
               FROM _evercore_sequences() s JOIN pg_sequence q ON q.seqrelid = to_regclass('@extschema@.' || s.name) LOOP
    IF one.different THEN
      EXECUTE format('ALTER SEQUENCE @extschema@.%I CACHE 1 INCREMENT BY 1 NO CYCLE AS %s', one.name, one.kind);
      next := greatest(pg_sequence_last_value(one.seqrelid), one.value, 0) + 1;
      IF next > one.largest THEN
        RAISE EXCEPTION 'EV010: sequence % has no values left: it stands at %', one.name, next - 1 USING ERRCODE = 'EV010';
      END IF;
      EXECUTE format('ALTER SEQUENCE @extschema@.%I MINVALUE %s MAXVALUE %s START %s RESTART WITH %s', one.name, one.smallest, one.largest,
                     greatest(one.smallest, 1), next);
      IF next > 1 THEN PERFORM setval(one.seqrelid, next - 1); END IF;
    ELSIF one.value > coalesce(pg_sequence_last_value(one.seqrelid), 0) THEN
      PERFORM setval(one.seqrelid, one.value);
    END IF;
  END LOOP;
  marks := @name_bits@ | coalesce(@marks@ & @replicated@, 0)
           | coalesce(@marks@ & @kept_marks@, 0) | @declared_marks@;
  IF (@flags@ = marks AND @highest@ >= @last_position@ - 8) IS NOT TRUE THEN
    PERFORM FROM _evercore_declared FOR UPDATE;  -- whoever declares writes to this sequence, too
    PERFORM setval('@extschema@._evercore_highest'::regclass, greatest(@highest@, @last_position@) | (@flags@ & @kept_marks@) | marks);
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_mend_sequences() IS 'Draws sequences on to what the tables show, and takes their caches away.';
