-- Carries a PostgreSQL database of the Go evercore over into a store in another schema of the same database, by psql:
--
--   psql -X -d DATABASE -v old=public -v new=evercore -f tools/from_go_postgres.sql
--
-- as a superuser, or as a member of the store's owner and writer roles who may read the old tables. All of it or nothing:
-- one transaction. Run again, it carries what the old tables got meanwhile. The event that had the id 17 bears the
-- event_id go-17; the table from_go_aggregate in the store's schema says which aggregate became which, and up to which
-- sequence it was carried. docs/from-go.md has the rest. Settings, each by -v name=value:
--
--   old, new           the schemas; public and evercore unless said
--   zone               the time zone that the old event_time is in; UTC unless said
--   custom             event types, parted by commas, that the application folds by itself; all others merge
--   snapshot_version   carries the newest snapshot of each aggregate too, as an application's of this version
\set ON_ERROR_STOP on
\if :{?old} \else \set old public \endif
\if :{?new} \else \set new evercore \endif
\if :{?zone} \else \set zone UTC \endif
\if :{?custom} \else \set custom '' \endif
\if :{?snapshot_version} \else \set snapshot_version '' \endif
\set QUIET on

BEGIN;
SET LOCAL timezone = 'UTC';
SELECT set_config('search_path', quote_ident(:'new'), true), set_config('from_go.snapshot_version', :'snapshot_version', true) \g /dev/null
SELECT format('store at schema version %s', max(version)) FROM evercore_schema \g (format=unaligned tuples_only=on)
SET LOCAL client_min_messages = warning;
CREATE TABLE IF NOT EXISTS from_go_aggregate (
  old_id       bigint PRIMARY KEY,
  aggregate_id bigint NOT NULL UNIQUE,
  sequence     bigint NOT NULL  -- carried up to here
);
SET LOCAL client_min_messages = notice;
LOCK TABLE from_go_aggregate IN SHARE ROW EXCLUSIVE MODE;

-- Events first: whatever aggregate one of them names was committed before it, so the next statement sees it. The old tables
-- may be in use meanwhile: a later run carries what comes.
CREATE TEMP TABLE from_go_event ON COMMIT DROP AS
SELECT e.id, e.aggregate_id AS old_aggregate, e.sequence, n.name AS event_type, e.state, nullif(e.reference, '') AS reference,
       e.event_time AT TIME ZONE :'zone' AS event_time,
       coalesce(nullif(to_char(e.event_time AT TIME ZONE :'zone', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ''), e.event_time::text) AS time_text
  FROM :"old".events e
  LEFT JOIN :"old".event_types n ON n.id = e.event_type_id
  LEFT JOIN from_go_aggregate m ON m.old_id = e.aggregate_id
 WHERE e.sequence > coalesce(m.sequence, 0);
ALTER TABLE from_go_event ADD PRIMARY KEY (id);
ANALYZE from_go_event;
CREATE TEMP TABLE from_go_old ON COMMIT DROP AS
SELECT a.id, t.name AS aggregate_type, a.natural_key, coalesce(m.sequence, 0) AS sequence, m.old_id IS NULL AS is_new
  FROM :"old".aggregates a
  LEFT JOIN :"old".aggregate_types t ON t.id = a.aggregate_type_id
  LEFT JOIN from_go_aggregate m ON m.old_id = a.id;
ALTER TABLE from_go_old ADD PRIMARY KEY (id);
CREATE TEMP TABLE from_go_snapshot ON COMMIT DROP AS
SELECT DISTINCT ON (s.aggregate_id) s.id, s.aggregate_id AS old_aggregate, s.sequence, s.state FROM :"old".snapshots s
 WHERE :'snapshot_version' <> '' ORDER BY s.aggregate_id, s.sequence DESC;
CREATE TEMP TABLE from_go_custom ON COMMIT DROP AS
SELECT name, EXISTS (SELECT FROM :"old".event_types t WHERE t.name = u.name) AS known
  FROM unnest(string_to_array(nullif(:'custom', ''), ',')) AS u (name);
CREATE TEMP TABLE from_go_problem (number integer GENERATED ALWAYS AS IDENTITY, aggregate bigint, problem text) ON COMMIT DROP;

-- Says what is wrong and ends everything, where something is.
CREATE FUNCTION pg_temp.from_go_stop() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  said text;
  problems bigint := (SELECT count(*) FROM from_go_problem);
BEGIN
  FOR said IN SELECT problem FROM from_go_problem ORDER BY number LIMIT 20 LOOP RAISE WARNING '%', said; END LOOP;
  IF problems > 20 THEN RAISE WARNING 'and % more', problems - 20; END IF;
  IF problems > 0 THEN RAISE EXCEPTION 'from_go: nothing was written, for the reasons above'; END IF;
END $$;

INSERT INTO from_go_problem (problem)
SELECT format('aggregate %s: ', id) ||
       CASE WHEN aggregate_type IS NULL THEN 'its type is not in aggregate_types'
            WHEN aggregate_type = '' THEN 'its type is empty'
            WHEN natural_key = '' THEN 'its natural key is empty'
            ELSE format('%s "%s" is in the store already, and not from here', aggregate_type, natural_key) END
  FROM from_go_old
 WHERE is_new AND (coalesce(aggregate_type, '') = '' OR natural_key = '' OR evercore_find(aggregate_type, natural_key) IS NOT NULL)
 ORDER BY id;

INSERT INTO from_go_problem (problem)
SELECT format('event %s: its aggregate %s is not in aggregates', id, old_aggregate) FROM from_go_event
 WHERE old_aggregate NOT IN (SELECT id FROM from_go_old) ORDER BY id;

INSERT INTO from_go_problem (problem)
SELECT format('event %s: aggregate %s goes from sequence %s to %s', id, old_aggregate, before, sequence)
  FROM (SELECT e.id, e.old_aggregate, e.sequence,
               lag(e.sequence, 1, o.sequence) OVER (PARTITION BY e.old_aggregate ORDER BY e.id) AS before
          FROM from_go_event e JOIN from_go_old o ON o.id = e.old_aggregate) AS step
 WHERE sequence <> before + 1 ORDER BY id;

INSERT INTO from_go_problem (problem)
SELECT format('event %s: its type is %s', id, CASE WHEN event_type IS NULL THEN 'not in event_types' ELSE 'empty' END) FROM from_go_event
 WHERE coalesce(event_type, '') = '' ORDER BY id;

INSERT INTO from_go_problem (problem)
SELECT format('snapshot %s: aggregate %s has no sequence %s', s.id, s.old_aggregate, s.sequence) FROM from_go_snapshot s
 WHERE NOT EXISTS (SELECT FROM from_go_event e WHERE e.old_aggregate = s.old_aggregate AND e.sequence = s.sequence)
   AND NOT EXISTS (SELECT FROM from_go_old o WHERE o.id = s.old_aggregate AND s.sequence BETWEEN 1 AND o.sequence)
 ORDER BY s.id;

INSERT INTO from_go_problem (problem) SELECT format('custom: no event type "%s"', name) FROM from_go_custom WHERE NOT known;
SELECT pg_temp.from_go_stop() \g /dev/null

SELECT format('to carry: %s aggregates, %s events', (SELECT count(*) FROM from_go_old WHERE is_new),
              (SELECT count(*) FROM from_go_event)) \g (format=unaligned tuples_only=on)

INSERT INTO from_go_aggregate (old_id, aggregate_id, sequence)
SELECT id, evercore_create(aggregate_type, natural_key), 0
  FROM (SELECT id, aggregate_type, natural_key FROM from_go_old WHERE is_new ORDER BY id OFFSET 0) AS new_one;
SELECT count(evercore_event_type(name, 'custom')) AS declared FROM from_go_custom \gset

-- In the order of the old ids, a thousand at a time; expected keeps every event at its old sequence. Where a thousand are
-- refused they go one by one, so that each that is at fault is named.
DO $$
DECLARE
  total constant bigint := (SELECT count(*) FROM from_go_event);
  reached bigint := 0;
  last bigint := (SELECT min(id) - 1 FROM from_go_event);
  upto bigint;
  event record;
BEGIN
  LOOP
    SELECT max(id) INTO upto FROM (SELECT id FROM from_go_event WHERE id > last ORDER BY id LIMIT 1000) AS batch;
    EXIT WHEN upto IS NULL;
    BEGIN
      INSERT INTO evercore_append (aggregate_id, expected, event_type, data, reference, event_time, event_id)
      SELECT m.aggregate_id, e.sequence - 1, e.event_type, e.state, e.reference, e.time_text, 'go-' || e.id
        FROM from_go_event e JOIN from_go_aggregate m ON m.old_id = e.old_aggregate
       WHERE e.id > last AND e.id <= upto AND e.old_aggregate NOT IN (SELECT aggregate FROM from_go_problem) ORDER BY e.id;
    EXCEPTION WHEN OTHERS THEN
      FOR event IN SELECT e.*, m.aggregate_id FROM from_go_event e JOIN from_go_aggregate m ON m.old_id = e.old_aggregate
                    WHERE e.id > last AND e.id <= upto ORDER BY e.id LOOP
        CONTINUE WHEN EXISTS (SELECT FROM from_go_problem WHERE aggregate = event.old_aggregate);
        BEGIN
          INSERT INTO evercore_append (aggregate_id, expected, event_type, data, reference, event_time, event_id)
          VALUES (event.aggregate_id, event.sequence - 1, event.event_type, event.state, event.reference,
                  event.time_text, 'go-' || event.id);
        EXCEPTION WHEN OTHERS THEN
          INSERT INTO from_go_problem (aggregate, problem)
          VALUES (event.old_aggregate, format('event %s: refused, at sequence %s of aggregate %s: %s', event.id, event.sequence,
                                              event.old_aggregate, SQLERRM));
        END;
      END LOOP;
    END;
    reached := reached + (SELECT count(*) FROM from_go_event WHERE id > last AND id <= upto);
    last := upto;
    RAISE NOTICE '% of % events', reached, total;
  END LOOP;
END $$;
SELECT pg_temp.from_go_stop() \g /dev/null

UPDATE from_go_aggregate m SET sequence = e.sequence
  FROM (SELECT old_aggregate, max(sequence) AS sequence FROM from_go_event GROUP BY old_aggregate) AS e WHERE e.old_aggregate = m.old_id;

DO $$
DECLARE
  snapshot record;
  version constant bigint := nullif(current_setting('from_go.snapshot_version'), '')::bigint;
BEGIN
  FOR snapshot IN SELECT s.*, m.aggregate_id FROM from_go_snapshot s JOIN from_go_aggregate m ON m.old_id = s.old_aggregate LOOP
    BEGIN
      PERFORM evercore_save_snapshot(snapshot.aggregate_id, snapshot.sequence, snapshot.state, version);
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO from_go_problem (problem) VALUES (format('snapshot %s: refused: %s', snapshot.id, SQLERRM));
    END;
  END LOOP;
END $$;

-- What is there in all, before it is kept: every event of this run in its place, and as many as the old tables had.
INSERT INTO from_go_problem (problem)
SELECT format('event %s: is not in the store as it was', e.id)
  FROM from_go_event e
  JOIN from_go_aggregate m ON m.old_id = e.old_aggregate
  LEFT JOIN evercore_log l ON l.aggregate_id = m.aggregate_id AND l.sequence = e.sequence AND l.event_id = 'go-' || e.id
       AND l.event_type = e.event_type AND l.data::text = e.state AND l.reference IS NOT DISTINCT FROM e.reference
       AND l.event_time = e.event_time
 WHERE l.position IS NULL ORDER BY e.id;
INSERT INTO from_go_problem (problem)
SELECT format('%s: %s in the old tables, %s carried', what, old, carried)
  FROM (SELECT 'aggregates' AS what, (SELECT count(*) FROM from_go_old) AS old,
               (SELECT count(*) FROM from_go_aggregate JOIN evercore_aggregates USING (aggregate_id)) AS carried
        UNION ALL
        SELECT 'events', (SELECT count(*) FROM from_go_event) + (SELECT coalesce(sum(sequence), 0) FROM from_go_old),
               (SELECT coalesce(sum(m.sequence), 0) FROM from_go_aggregate m JOIN evercore_aggregates a USING (aggregate_id)
                 WHERE a.sequence >= m.sequence)) AS counted
 WHERE old <> carried;
SELECT pg_temp.from_go_stop() \g /dev/null

SELECT format('made %s aggregates, declared %s event types as custom, saved %s snapshots',
              (SELECT count(*) FROM from_go_old WHERE is_new), :'declared', (SELECT count(*) FROM from_go_snapshot)) \g (format=unaligned tuples_only=on)
SELECT format('the store has all of %s aggregates and %s events', count(*), coalesce(sum(sequence), 0)) FROM from_go_aggregate
  \g (format=unaligned tuples_only=on)
DROP FUNCTION pg_temp.from_go_stop();
COMMIT;
