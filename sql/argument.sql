-- What arguments must be: names, keys, times, numbers. Every refusal that is not about a payload stands here. What raises an
-- error is VOLATILE, since the planner may call an IMMUTABLE function with constants before anything else has run.

-- Gives text back where it may be a name or key of at most `longest` characters; else EV005.
CREATE OR REPLACE FUNCTION _evercore_name(value text, argument text, longest integer) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  IF value IS NULL THEN
    RAISE EXCEPTION 'EV005: % is NULL', argument USING ERRCODE = 'EV005';
  ELSIF value = '' THEN
    RAISE EXCEPTION 'EV005: % is empty', argument USING ERRCODE = 'EV005';
  ELSIF char_length(value) > longest THEN
    RAISE EXCEPTION 'EV005: % is longer than % characters', argument, longest USING ERRCODE = 'EV005';
  END IF;
  RETURN value;
END $$;
COMMENT ON FUNCTION _evercore_name(text, text, integer) IS 'The value where it is a legal name or key; else EV005.';

CREATE OR REPLACE FUNCTION _evercore_refuse(code text, message text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  RAISE EXCEPTION '%: %', code, message USING ERRCODE = code;
END $$;
COMMENT ON FUNCTION _evercore_refuse(text, text) IS 'Raises an error with one of evercore''s codes.';

CREATE OR REPLACE FUNCTION _evercore_require_whole(whole boolean, done text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT whole THEN RAISE EXCEPTION 'EV010: a trigger or rule cut it short: % in part', done USING ERRCODE = 'EV010'; END IF;
END $$;
COMMENT ON FUNCTION _evercore_require_whole(boolean, text) IS 'EV010 where a trigger or rule kept back a part of what was done.';

-- A number between least and most, NULL giving the default; else EV009.
CREATE OR REPLACE FUNCTION _evercore_number(value bigint, argument text, least_value bigint, fallback bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  IF value < least_value THEN
    RAISE EXCEPTION 'EV009: % is out of range: %', argument, value USING ERRCODE = 'EV009';
  END IF;
  RETURN coalesce(value, fallback);
END $$;
COMMENT ON FUNCTION _evercore_number(bigint, text, bigint, bigint) IS 'The value, or the fallback where it is NULL; EV009 below the least value.';

-- Times are read by our own rule: the server's cast takes words and zones of the session, and rounds a seventh digit. What the
-- macro plain_time of sql/macros.txt takes, the cast reads as we do; it leaves out February 29, the ends of the years and what has
-- no offset.
CREATE OR REPLACE FUNCTION _evercore_time(value text, argument text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  given text COLLATE "C" := value;
  part text[] COLLATE "C";
  moment timestamp;
BEGIN
  IF given IS NULL THEN RETURN NULL; END IF;
  IF given ~ '@plain_time@' THEN RETURN given::timestamptz; END IF;
  part := regexp_match(given, '^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
      '(?:[Tt ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?)'
      '(?:[Zz]|([+-])(0[0-9]|1[0-5])(?::?([0-5][0-9])|:([0-5][0-9]):([0-5][0-9]))?)?)?$');
  IF part[1] > '0000' AND part[3]::integer
     <= extract(day FROM make_date(part[1]::integer, part[2]::integer, 1) + interval '1 month' - interval '1 day') THEN
    -- Digits after the sixth are cut.
    moment := (part[1] || '-' || part[2] || '-' || part[3] || ' ' || coalesce(left(part[4], 15), '00:00'))::timestamp
              - (coalesce(part[5], '+') || coalesce(part[6], '00') || ':' || coalesce(part[7], part[8], '00') || ':' || coalesce(part[9], '00'))::interval;
    IF moment >= '0001-01-01'::timestamp AND moment < '10000-01-01'::timestamp THEN
      RETURN moment AT TIME ZONE 'UTC';
    END IF;
  END IF;
  RAISE EXCEPTION 'EV009: % is not a time: "%": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]', argument, value USING ERRCODE = 'EV009';
END $$;
COMMENT ON FUNCTION _evercore_time(text, text) IS
  'Reads YYYY-MM-DD[Thh:mm[:ss[.fffffffff]][Z|±hh[[:]mm]|±hh:mm:ss]], in UTC where no offset stands; anything else is EV009.';

CREATE OR REPLACE FUNCTION _evercore_time_text(value timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT CASE WHEN NOT isfinite(value) THEN value::text
              WHEN value < '0001-01-01T00:00:00Z'::timestamptz THEN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z BC"')
              ELSE to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END
$$;
COMMENT ON FUNCTION _evercore_time_text(timestamptz) IS 'A time as evercore writes it: UTC with microseconds.';

CREATE OR REPLACE FUNCTION evercore_time(value text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
BEGIN
  RETURN _evercore_time(value, 'value');
END $$;
COMMENT ON FUNCTION evercore_time(text) IS 'A time as evercore reads it, to compare with; EV009 where it is none.';

-- The aggregate id where it is one; EV002 for NULL, unknown and, when it is to be written, erased.
CREATE OR REPLACE FUNCTION _evercore_known(id bigint, for_write boolean) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  gone boolean;
BEGIN
  PERFORM _evercore_ready();
  IF id IS NULL THEN
    RAISE EXCEPTION 'EV002: aggregate id is NULL: evercore_find found none' USING ERRCODE = 'EV002';
  END IF;
  SELECT a.erased INTO gone FROM evercore_aggregate a WHERE a.aggregate_id = id;
  IF gone IS NULL THEN
    RAISE EXCEPTION 'EV002: no aggregate %', id USING ERRCODE = 'EV002';
  ELSIF gone AND for_write THEN
    RAISE EXCEPTION 'EV002: aggregate % was erased', id USING ERRCODE = 'EV002';
  END IF;
  RETURN id;
END $$;
COMMENT ON FUNCTION _evercore_known(bigint, boolean) IS 'The id of an aggregate that exists; else EV002.';

CREATE OR REPLACE FUNCTION _evercore_ready() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF @unmigrated@ THEN
    RAISE EXCEPTION 'EV008: the store is not migrated: SELECT evercore_migrate()' USING ERRCODE = 'EV008';
  END IF;
END $$;
COMMENT ON FUNCTION _evercore_ready() IS 'EV008 where the store is not migrated.';
