-- json, jsonb and timestamptz where the surface takes text, so that json_build_object(...) and now() need no cast. Where an
-- argument is an untyped literal the text form wins: PostgreSQL prefers it among candidates.
--
-- They are bound to the function of their own store, not to a name that another store may bear: see life.sql.

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text, metadata text, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4, $5, $6, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, text, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text, metadata json, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4, $5, $6::text, $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, json, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text, metadata json, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4, $5, $6::text, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, json, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text, metadata jsonb, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4, $5, @extschema@._evercore_json_text($6), $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, jsonb, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data text,
  reference text, metadata jsonb, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4, $5, @extschema@._evercore_json_text($6), @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, text, text, jsonb, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text DEFAULT NULL, metadata text DEFAULT NULL, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, $6, $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, text, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text, metadata text, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, $6, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, text, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text, metadata json, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, $6::text, $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, json, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text, metadata json, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, $6::text, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, json, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text, metadata jsonb, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, @extschema@._evercore_json_text($6), $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, jsonb, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data json,
  reference text, metadata jsonb, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, $4::text, $5, @extschema@._evercore_json_text($6), @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, json, text, jsonb, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text DEFAULT NULL, metadata text DEFAULT NULL, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, $6, $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, text, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text, metadata text, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, $6, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, text, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text, metadata json, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, $6::text, $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, json, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text, metadata json, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, $6::text, @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, json, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text, metadata jsonb, event_time text DEFAULT NULL, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, @extschema@._evercore_json_text($6), $7, $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, jsonb, text, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append(id bigint, expected bigint, event_type text, data jsonb,
  reference text, metadata jsonb, event_time timestamptz, event_id text DEFAULT NULL) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append($1, $2, $3, @extschema@._evercore_json_text($4), $5, @extschema@._evercore_json_text($6), @extschema@._evercore_time_text($7), $8);
COMMENT ON FUNCTION evercore_append(bigint, bigint, text, jsonb, text, jsonb, timestamptz, text) IS 'Appends one event to an aggregate and gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append_many(appends json) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append_many($1::text);
COMMENT ON FUNCTION evercore_append_many(json) IS 'Appends the events of a JSON array of appends, all or none.';

CREATE OR REPLACE FUNCTION evercore_save_snapshot(id bigint, sequence bigint, state json, version bigint) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_save_snapshot($1, $2, $3::text, $4);
COMMENT ON FUNCTION evercore_save_snapshot(bigint, bigint, json, bigint) IS 'Stores an application snapshot; gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_append_many(appends jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_append_many(@extschema@._evercore_json_text($1));
COMMENT ON FUNCTION evercore_append_many(jsonb) IS 'Appends the events of a JSON array of appends, all or none.';

CREATE OR REPLACE FUNCTION evercore_save_snapshot(id bigint, sequence bigint, state jsonb, version bigint) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_save_snapshot($1, $2, @extschema@._evercore_json_text($3), $4);
COMMENT ON FUNCTION evercore_save_snapshot(bigint, bigint, jsonb, bigint) IS 'Stores an application snapshot; gives its sequence.';

CREATE OR REPLACE FUNCTION evercore_sequence(id bigint, at_time timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_sequence($1, @extschema@._evercore_time_text($2));
COMMENT ON FUNCTION evercore_sequence(bigint, timestamptz) IS 'An aggregate''s last sequence at a time.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter json, start text DEFAULT NULL, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, $2::text, $3, $4);
COMMENT ON FUNCTION evercore_subscribe(text, json, text, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter json, start bigint, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, $2::text, $3, $4);
COMMENT ON FUNCTION evercore_subscribe(text, json, bigint, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter json, start timestamptz, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, $2::text, @extschema@._evercore_time_text($3), $4);
COMMENT ON FUNCTION evercore_subscribe(text, json, timestamptz, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter jsonb, start text DEFAULT NULL, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, @extschema@._evercore_json_text($2), $3, $4);
COMMENT ON FUNCTION evercore_subscribe(text, jsonb, text, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter jsonb, start bigint, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, @extschema@._evercore_json_text($2), $3, $4);
COMMENT ON FUNCTION evercore_subscribe(text, jsonb, bigint, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter jsonb, start timestamptz, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, @extschema@._evercore_json_text($2), @extschema@._evercore_time_text($3), $4);
COMMENT ON FUNCTION evercore_subscribe(text, jsonb, timestamptz, bigint) IS 'Makes a subscription, or changes its filter; gives its name.';

CREATE OR REPLACE FUNCTION evercore_subscribe(name text, filter text, start timestamptz, partitions bigint DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_subscribe($1, $2, @extschema@._evercore_time_text($3), $4);
COMMENT ON FUNCTION evercore_subscribe(text, text, timestamptz, bigint) IS 'Makes a subscription that begins at a time.';

CREATE OR REPLACE FUNCTION evercore_reset(name text, start timestamptz) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp RETURN @extschema@.evercore_reset($1, @extschema@._evercore_time_text($2));
COMMENT ON FUNCTION evercore_reset(text, timestamptz) IS 'Moves every cursor to a time, and makes current tokens stale; gives the name.';
