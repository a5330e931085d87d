-- Nothing is given twice. A server that loses what it had acknowledged (an asynchronous failover, a restore to an earlier time)
-- begins another timeline, and a store that came from elsewhere has the mark of another server. The first call that draws there
-- draws positions and tokens far ahead, so that what was given and lost is not given again.
--
-- Two marks stand in sequences, which are read without a snapshot in half a microsecond and written outside of transactions:
--   _evercore_timeline   of the server's timeline, of this very sequence (its oid) and of the schema's name: looked at by every call that
--                        writes, but by appends only until their session has drawn a position: no session outlives a timeline's end, and
--                        a restored store has other sequences. Zero where events came by logical replication;
--   _evercore_system     of the server's identity and its timeline: looked at where the first differs, and by each claim.
-- Neither can change while a transaction that writes is open. Both are written after the sequences were drawn ahead: a crash
-- in between draws ahead once more.
--
-- A function works in the schema that it was made for, by name. Where that schema was renamed its functions would go to whatever store
-- has the name now. `home` of sql/macros.txt stands first in every function that writes: where the mark is not what that name makes of
-- it, or is not there, the functions of another schema that go by this name are looked for, and then nobody goes by it, EV010, until
-- sql/install has made them again. No store takes over such a name before: neither by sql/install nor, restored, by its first append.

CREATE OR REPLACE FUNCTION _evercore_system_mark() RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN hashtextextended(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), (SELECT c.system_identifier FROM pg_control_system() c));
EXCEPTION WHEN insufficient_privilege THEN
  RETURN hashtextextended(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), 0);
END $$;
COMMENT ON FUNCTION _evercore_system_mark() IS 'A mark of this server''s identity and timeline.';

-- Calls that write what all sessions share take turns at the row of evercore_schema.
CREATE OR REPLACE FUNCTION _evercore_lock_marks() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF to_regclass('@extschema@.evercore_schema') IS NOT NULL THEN PERFORM FROM evercore_schema FOR UPDATE; END IF;
  IF NOT FOUND THEN PERFORM _evercore_schema_version(); END IF;
END $$;
COMMENT ON FUNCTION _evercore_lock_marks() IS 'Locks the row of evercore_schema; EV008 where it is not there.';

-- Ends a block whose effects are to be undone, by an error that nobody else raises. It is not EV000, by which all of evercore's are caught.
-- What is done for all sessions stays when the transaction rolls back, and nobody waits for that transaction: the row lock ends with
-- the subtransaction, and what was written to sequences is never rolled back.
CREATE OR REPLACE FUNCTION _evercore_wake() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  @named@
  PERFORM _evercore_ready();
  IF pg_is_in_recovery() OR _evercore_is_replica() THEN RETURN; END IF;
  BEGIN
    PERFORM _evercore_lock_marks();
    IF (@same_life@) IS NOT TRUE OR pg_sequence_last_value('@extschema@._evercore_system'::regclass) <> _evercore_system_mark()
       OR @marks@ & @replicated@ > 0 THEN
      IF pg_sequence_last_value('@extschema@._evercore_system'::regclass) <> _evercore_system_mark() THEN PERFORM _evercore_draw_ahead(); END IF;
      PERFORM _evercore_check_position();
      IF pg_sequence_last_value('@extschema@._evercore_timeline'::regclass) = 0 THEN PERFORM _evercore_draw_ahead(); END IF;
      -- The marks of declarations are kept: who declares one now, or did so after this snapshot was taken, is not seen in the table.
      PERFORM setval('@extschema@._evercore_highest'::regclass, coalesce(@highest@, 0) | @name_bits@ | coalesce(@marks@ & @kept_marks@, 0)
                       | @declared_marks@),
              setval('@extschema@._evercore_system'::regclass, _evercore_system_mark()),
              setval('@extschema@._evercore_timeline'::regclass, @life@);
    END IF;
    RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
  EXCEPTION WHEN SQLSTATE 'EV999' THEN
    NULL;
  END;
END $$;
COMMENT ON FUNCTION _evercore_wake() IS 'Looks whether this is still the server that drew last; where it is not, draws both sequences far ahead, once.';

-- Under the same lock, since a call that wakes a store writes all the marks.
CREATE OR REPLACE FUNCTION _evercore_mark(declared bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_lock_marks();
  PERFORM setval('@extschema@._evercore_highest'::regclass, coalesce(@marks@, @name_bits@) | declared);
  RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
EXCEPTION WHEN SQLSTATE 'EV999' THEN
  NULL;
END $$;
COMMENT ON FUNCTION _evercore_mark(bigint) IS 'Says that there is a snapshot policy, an index by type or a declaration of tags, for appends to look for it.';

CREATE OR REPLACE FUNCTION _evercore_draw_ahead() RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  head bigint;
BEGIN
  head := greatest((SELECT max(e.position) FROM evercore_event e), @highest@, @last_position@) + @jump@;
  IF head > @max_position@ THEN
    RAISE EXCEPTION 'EV010: sequence evercore_event_position_seq has no positions left' USING ERRCODE = 'EV010', HINT = 'Positions have 44 bits.';
  END IF;
  PERFORM setval('@extschema@._evercore_token'::regclass, @jump@ + greatest((SELECT max(p.token) FROM evercore_subscription_partition p),
            coalesce(pg_sequence_last_value('@extschema@._evercore_token'::regclass), 0)));
  RETURN setval('@extschema@.evercore_event_position_seq'::regclass, head);
END $$;
COMMENT ON FUNCTION _evercore_draw_ahead() IS 'Positions and tokens go on 2^20 beyond; gives the new head.';

CREATE OR REPLACE FUNCTION evercore_restored() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  @home@
  PERFORM _evercore_ready();
  PERFORM _evercore_wake(), _evercore_mark(@declared_marks@);  -- rows may have come without the sequence
  RETURN _evercore_draw_ahead();
END $$;
COMMENT ON FUNCTION evercore_restored() IS
  'To be called once on a store restored from a backup or dump: positions and tokens go on far beyond what was given and lost; gives the new head.';

-- A position that followers may have passed is never given: where the sequence is behind its table (a switch-over by logical
-- replication, setval), or each session sets some positions aside (CACHE). What stood above may have been compacted: _evercore_highest
-- remembers how far positions were given, to within eight of single appends; where it says nothing, aggregates do. It is read before the
-- sequence, and the sequence after the snapshot was taken: what others append meanwhile does not count.
CREATE OR REPLACE FUNCTION _evercore_check_position() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  given bigint := @highest@;
  fault text;
BEGIN
  IF (@one_by_one@) IS NOT TRUE THEN
    fault := 'has a cache';
  ELSIF given > @last_position@ OR (@events_above@) THEN
    fault := 'is behind its table';
  ELSIF @last_value@ >= @max_position@ THEN
    RAISE EXCEPTION 'EV010: sequence evercore_event_position_seq has no positions left' USING ERRCODE = 'EV010', HINT = 'Positions have 44 bits.';
  ELSIF given IS NULL OR @last_value@ IS NULL THEN
    -- A statement of its own, planned where it is needed: it looks at all aggregates.
    IF NOT EXISTS (SELECT FROM evercore_aggregate a WHERE a.base_position > (SELECT @last_position@)) THEN RETURN; END IF;
    fault := 'is behind its table';
  ELSE
    RETURN;
  END IF;
  RAISE EXCEPTION 'EV010: sequence evercore_event_position_seq %: SELECT evercore_migrate()', fault
    USING ERRCODE = 'EV010', HINT = 'New events would stand below what followers have read.';
END $$;
COMMENT ON FUNCTION _evercore_check_position() IS 'EV010 where the next position might not be above all others.';

-- _evercore_highest, which every append reads, is a position in its lower 44 bits. Above them stands what an append must know, since
-- each sequence costs it 3 %: 2^44, that a type ever declared tags or a schema; 2^45, that types were ever indexed; 2^46, that events were
-- replicated; in bits 47 to 61 which name the schema has, so that the functions of a store that swapped its name with another's are not
-- at home there; 2^62, that an aggregate type ever declared a schema of its states; and, as the sign, that a snapshot policy was ever
-- declared. Whoever sets it keeps what stands there. A declaration excludes all who append (see locks.sql), and writes its mark under the
-- lock of who wakes: none of them takes it away.

-- The server is looked at once a session, and where the sequence stands below what the session drew, what was given at all, or what is
-- remembered of this transaction; the sequence each time.
CREATE OR REPLACE FUNCTION _evercore_newest_position(remembered bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  newest bigint;
  drawn bigint;
BEGIN
  newest := @last_value@;
  BEGIN
    drawn := currval('@extschema@.evercore_event_position_seq'::regclass);
  EXCEPTION WHEN object_not_in_prerequisite_state THEN
    NULL;  -- this session has not drawn before
  END;
  IF (newest >= drawn AND newest >= coalesce(remembered, drawn) AND @unusual_marks(@marks@)@ <= newest) IS NOT TRUE
     AND ((@same_life@) IS NOT TRUE OR @marks@ & @replicated@ > 0) THEN
    PERFORM _evercore_check_replica(), _evercore_wake();
  END IF;
  PERFORM _evercore_check_position();
  IF drawn > @last_position@ THEN PERFORM _evercore_draw_beyond(drawn); END IF;
  RETURN @last_position@;
END $$;
COMMENT ON FUNCTION _evercore_newest_position(bigint) IS 'The newest position drawn, from a sequence that was looked at.';

-- A restore of data alone sets the sequence back, and all that would show it. What an open session drew itself it still knows.
CREATE OR REPLACE FUNCTION _evercore_draw_beyond(given bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_lock_marks();
  IF given > @last_position@ THEN PERFORM setval('@extschema@.evercore_event_position_seq'::regclass, given), _evercore_draw_ahead(); END IF;
  RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
EXCEPTION WHEN SQLSTATE 'EV999' THEN
  NULL;
END $$;
COMMENT ON FUNCTION _evercore_draw_beyond(bigint) IS 'Draws far ahead of a position that was given, where the sequence was set back below it.';

-- Events that come by logical replication are not drawn here. The mark of zero says that they came: appends and followers look closer.
CREATE OR REPLACE FUNCTION _evercore_replicated() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  IF to_regclass('@extschema@._evercore_timeline') IS NULL THEN RETURN NULL; END IF;
  IF pg_sequence_last_value('@extschema@._evercore_timeline'::regclass) <> 0 OR (@marks@ & @replicated@ > 0) IS NOT TRUE THEN
    PERFORM setval('@extschema@._evercore_timeline'::regclass, 0),
            setval('@extschema@._evercore_highest'::regclass, coalesce(@marks@, @name_bits@) | @replicated@);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION _evercore_replicated() IS 'After an event was replicated into this store.';

-- Before a token is drawn. The sequence is behind where the store came by logical replication; it is drawn on with room to spare,
-- since others may draw meanwhile.
CREATE OR REPLACE FUNCTION _evercore_tokens_above(name text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  shown bigint;
BEGIN
  IF pg_is_in_recovery() THEN RETURN; END IF;
  IF (pg_sequence_parameters('@extschema@._evercore_token'::regclass)).cache_size <> 1 THEN
    RAISE EXCEPTION 'EV010: sequence _evercore_token has a cache: SELECT evercore_migrate()' USING ERRCODE = 'EV010';
  END IF;
  IF (@same_life@) IS NOT TRUE OR pg_sequence_last_value('@extschema@._evercore_system'::regclass) IS DISTINCT FROM _evercore_system_mark() THEN
    PERFORM _evercore_wake();
  END IF;
  SELECT max(p.token) INTO shown FROM evercore_subscription s JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
   WHERE s.name = _evercore_tokens_above.name COLLATE "C";
  IF shown <= coalesce(pg_sequence_last_value('@extschema@._evercore_token'::regclass), 0) THEN RETURN; END IF;
  BEGIN
    PERFORM _evercore_lock_marks();
    IF shown > coalesce(pg_sequence_last_value('@extschema@._evercore_token'::regclass), 0) THEN
      PERFORM setval('@extschema@._evercore_token'::regclass, shown + 1024);
    END IF;
    RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
  EXCEPTION WHEN SQLSTATE 'EV999' THEN
    NULL;
  END;
END $$;
COMMENT ON FUNCTION _evercore_tokens_above(text) IS 'Makes the next token larger than all that a subscription has, and than all that were ever given.';

-- Asked where an INSERT met a row that should not be there: the ids of aggregates, their types and subscriptions come from sequences which
-- may be behind, as above.
CREATE OR REPLACE FUNCTION _evercore_draw_ids() RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  one record;
  drawn boolean := false;
BEGIN
  FOR one IN SELECT s.draws, s.shown FROM (VALUES
      ('@extschema@.evercore_aggregate_aggregate_id_seq'::regclass, (SELECT max(a.aggregate_id) FROM evercore_aggregate a)),
      ('@extschema@.evercore_aggregate_type_type_id_seq'::regclass, (SELECT max(t.type_id) FROM evercore_aggregate_type t)),
      ('@extschema@.evercore_subscription_subscription_id_seq'::regclass,
       (SELECT max(s.subscription_id) FROM evercore_subscription s))) AS s (draws, shown)
     WHERE s.shown > coalesce(pg_sequence_last_value(s.draws), 0) LOOP
    BEGIN
      PERFORM _evercore_lock_marks();
      IF one.shown > coalesce(pg_sequence_last_value(one.draws), 0) THEN PERFORM setval(one.draws, one.shown + 1024); END IF;
      RAISE EXCEPTION 'done' USING ERRCODE = 'EV999';
    EXCEPTION WHEN SQLSTATE 'EV999' THEN
      drawn := true;
    END;
  END LOOP;
  RETURN drawn;
END $$;
COMMENT ON FUNCTION _evercore_draw_ids() IS 'Draws the sequences of ids on where they are behind their tables: whether one was.';

-- Followers read up to the sequence. Where events stand above it they would see nothing, for ever.
CREATE OR REPLACE FUNCTION _evercore_check_log() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  given bigint := @highest@;
BEGIN
  IF given > @last_position@ OR (@events_above@) THEN
    RAISE EXCEPTION 'EV010: sequence evercore_event_position_seq is behind its table: SELECT evercore_migrate()' USING ERRCODE = 'EV010',
      HINT = 'A logical replica has events that its own sequence never drew: follow the publisher, or migrate once this store has taken over.';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_log() IS 'EV010 where events stand above the sequence of positions.';

-- The sequence is read after the snapshot that found nothing.
CREATE OR REPLACE FUNCTION _evercore_beyond("after" bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_check_log();
  IF "after" > @last_position@ THEN
    RAISE EXCEPTION 'EV009: after is out of range: %', "after"
      USING ERRCODE = 'EV009', HINT = 'No event ever had that position: the store may have been restored.';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_beyond(bigint) IS 'EV009 where a position was never drawn.';
