-- Leases: who holds a partition, and how far it has come.
--
-- A token is current while its partition has an owner and no newer token was given. A lease that expired takes nothing away: it
-- only says when another may take over. Each function names the token in the WHERE of the UPDATE that acts; where that
-- finds no row, nothing was done. An ack that meets a claim not yet committed waits for it, and then knows.

-- Why an UPDATE found no row with that token.
CREATE OR REPLACE FUNCTION _evercore_lost(name text, token bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM evercore_subscription s WHERE s.name = _evercore_lost.name COLLATE "C") THEN
    RAISE EXCEPTION 'EV002: no subscription "%"', name USING ERRCODE = 'EV002';
  END IF;
  RAISE EXCEPTION 'EV006: lease lost: token % is not the current one of subscription "%"', token, name USING ERRCODE = 'EV006';
END $$;
COMMENT ON FUNCTION _evercore_lost(text, bigint) IS 'EV002 where there is no such subscription, else EV006.';

CREATE OR REPLACE FUNCTION _evercore_check_token(name text, token bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM _evercore_subscriptions_ready(), _evercore_name(name, 'name', @max_name@);
  IF token IS NULL THEN PERFORM _evercore_refuse('EV009', 'token is NULL'); END IF;
END $$;
COMMENT ON FUNCTION _evercore_check_token(text, bigint) IS 'Refuses arguments that cannot be a name and a token.';

CREATE OR REPLACE FUNCTION _evercore_lease(lease_seconds double precision) RETURNS interval
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF lease_seconds IS NULL THEN PERFORM _evercore_refuse('EV009', 'lease_seconds is NULL'); END IF;
  IF NOT (lease_seconds > 0 AND lease_seconds <= @max_lease@) THEN
    PERFORM _evercore_refuse('EV009', 'lease_seconds is out of range: ' || lease_seconds);
  END IF;
  RETURN greatest(1, round(lease_seconds * 1e6)) * interval '1 microsecond';
END $$;
COMMENT ON FUNCTION _evercore_lease(double precision) IS 'The argument lease_seconds; EV009.';

-- The free partition that was given the longest time ago. One that another transaction has locked is passed over: it is being
-- claimed, acked or reset, and a claim never waits.
CREATE OR REPLACE FUNCTION evercore_claim(name text, owner text, lease_seconds double precision) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
DECLARE
  length interval;
  given bigint;
BEGIN
  @home@
  PERFORM _evercore_subscriptions_ready(), _evercore_name(evercore_claim.name, 'name', @max_name@), _evercore_name(evercore_claim.owner, 'owner', @max_name@);
  length := _evercore_lease(lease_seconds);
  PERFORM _evercore_tokens_above(evercore_claim.name);
  -- A crash would take back a token that was given but not flushed, and it would be given again.
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'local', true); END IF;
  UPDATE evercore_subscription_partition AS p
     SET owner = evercore_claim.owner, lease = length, lease_expires_at = clock_timestamp() + length, seen = NULL,
         token = nextval('@extschema@._evercore_token'::regclass)
   WHERE (p.subscription_id, p.partition) = (
           SELECT f.subscription_id, f.partition
             FROM evercore_subscription s JOIN evercore_subscription_partition f ON f.subscription_id = s.subscription_id
            WHERE s.name = evercore_claim.name COLLATE "C" AND s.active AND (f.owner IS NULL OR f.lease_expires_at <= clock_timestamp())
            ORDER BY f.token, f.partition LIMIT 1 FOR NO KEY UPDATE OF f SKIP LOCKED)
  RETURNING p.token INTO given;
  IF NOT FOUND AND NOT EXISTS (SELECT FROM evercore_subscription s WHERE s.name = evercore_claim.name COLLATE "C") THEN
    PERFORM _evercore_lost(evercore_claim.name, NULL);
  END IF;
  RETURN given;
END $$;
COMMENT ON FUNCTION evercore_claim(text, text, double precision) IS
  'A fencing token for a free partition, larger than every one before, or NULL, at once, while none is free.';

-- Moving past what a filter kept from an empty fetch is as good as acking it, while the filter is still the same.
CREATE OR REPLACE FUNCTION evercore_ack(name text, token bigint, "position" bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
DECLARE
  settled boolean;
  reached bigint;
BEGIN
  @home@
  PERFORM _evercore_check_token(evercore_ack.name, evercore_ack.token);
  settled := CASE WHEN evercore_ack.position IS NOT NULL THEN _evercore_is_settled(evercore_ack.position) END;
  UPDATE evercore_subscription_partition AS p
     SET position = greatest(p.position, evercore_ack.position, CASE WHEN evercore_ack.position IS NULL AND p.seen_filter = s.filter_version THEN p.seen END),
         untouched = p.untouched AND coalesce(evercore_ack.position, p.seen, 0) <= p.position,
         lease_expires_at = clock_timestamp() + p.lease, last_error = NULL
    FROM evercore_subscription s
   WHERE s.name = evercore_ack.name COLLATE "C" AND p.subscription_id = s.subscription_id AND p.token = evercore_ack.token AND p.owner IS NOT NULL
     AND (evercore_ack.position IS NULL OR settled OR evercore_ack.position <= p.position)
  RETURNING p.position INTO reached;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM evercore_subscription s JOIN evercore_subscription_partition p ON p.subscription_id = s.subscription_id
                WHERE s.name = evercore_ack.name COLLATE "C" AND p.token = evercore_ack.token AND p.owner IS NOT NULL) THEN
      PERFORM _evercore_refuse('EV009', 'position is out of range: ' || evercore_ack.position);
    END IF;
    PERFORM _evercore_lost(evercore_ack.name, evercore_ack.token);
  END IF;
  RETURN reached;
END $$;
COMMENT ON FUNCTION evercore_ack(text, bigint, bigint) IS
  'Moves the cursor forward, never back, and renews the lease; gives the cursor. NULL: past all that the last empty fetch could see.';

CREATE OR REPLACE FUNCTION evercore_renew(name text, token bigint, lease_seconds double precision) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
DECLARE
  length interval;
BEGIN
  @home@
  PERFORM _evercore_check_token(evercore_renew.name, evercore_renew.token);
  length := _evercore_lease(lease_seconds);
  UPDATE evercore_subscription_partition AS p SET lease = length, lease_expires_at = clock_timestamp() + length
    FROM evercore_subscription s
   WHERE s.name = evercore_renew.name COLLATE "C" AND p.subscription_id = s.subscription_id AND p.token = evercore_renew.token AND p.owner IS NOT NULL;
  IF NOT FOUND THEN PERFORM _evercore_lost(evercore_renew.name, evercore_renew.token); END IF;
  RETURN evercore_renew.name;
END $$;
COMMENT ON FUNCTION evercore_renew(text, bigint, double precision) IS 'Makes a lease last so many seconds from now; gives the name.';

CREATE OR REPLACE FUNCTION evercore_release(name text, token bigint, error text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, @extschema@, pg_temp AS $$
#variable_conflict use_column
BEGIN
  @home@
  PERFORM _evercore_check_token(evercore_release.name, evercore_release.token);
  UPDATE evercore_subscription_partition AS p
     SET owner = NULL, lease = NULL, lease_expires_at = NULL, last_error = coalesce(evercore_release.error, p.last_error)
    FROM evercore_subscription s
   WHERE s.name = evercore_release.name COLLATE "C" AND p.subscription_id = s.subscription_id AND p.token = evercore_release.token AND p.owner IS NOT NULL;
  IF NOT FOUND THEN PERFORM _evercore_lost(evercore_release.name, evercore_release.token); END IF;
  RETURN evercore_release.name;
END $$;
COMMENT ON FUNCTION evercore_release(text, bigint, text) IS 'Gives a partition back, with an error that a later ack clears; gives the name.';
