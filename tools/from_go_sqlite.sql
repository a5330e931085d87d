-- Carries a SQLite database of the Go evercore over into a store, in the sqlite3 shell:
--
--   sqlite3 new.db -cmd '.load build/evercore' -cmd "ATTACH 'file:old.db?mode=ro' AS old" <tools/from_go_sqlite.sql
--
-- All of it or nothing: one transaction. Run again, it carries what the old database got meanwhile. The event that had
-- the id 17 bears the event_id go-17; the table from_go_aggregate says which aggregate became which, and up to which
-- sequence it was carried. docs/from-go.md has the rest. Two settings, each by -cmd '.parameter set @name value':
--
--   @custom             event types, parted by commas, that the application folds by itself; all others merge
--   @snapshot_version   carries the newest snapshot of each aggregate too, as an application's of this version
.bail on
SELECT 'store at schema version ' || evercore_migrate();
DROP VIEW IF EXISTS temp.from_go_event;
DROP VIEW IF EXISTS temp.from_go_missing;
DROP TABLE IF EXISTS temp.from_go_new;
DROP TABLE IF EXISTS temp.from_go_problem;
DROP TABLE IF EXISTS temp.from_go_snapshot;

BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS from_go_aggregate (
  old_id       INTEGER PRIMARY KEY,
  aggregate_id INTEGER NOT NULL UNIQUE,
  sequence     INTEGER NOT NULL  -- carried up to here
) STRICT;

-- What cannot be carried is listed, and an empty list is what the trigger lets pass.
CREATE TEMP TABLE from_go_problem (problem TEXT);
CREATE TEMP TRIGGER from_go_stop BEFORE DELETE ON from_go_problem
BEGIN
  SELECT RAISE(ROLLBACK, 'from_go: nothing was written, for the reasons above');
END;

-- Events still to be carried. The Go drivers write a time as 2026-01-02 03:04:05, then perhaps a point and up to nine
-- digits, then +02:00, or Z, or " +0200 CEST" and more words, or nothing. evercore keeps microseconds.
CREATE TEMP VIEW from_go_event AS
SELECT id, old_aggregate, aggregate_id, sequence, event_type, state, reference,
       substr(event_time, 1, 10) || 'T' || substr(event_time, 12, 8) || iif(digits = '', '', '.' || substr(digits, 1, 6)) || zone
         AS event_time,
       strftime('%Y-%m-%dT%H:%M:%S', substr(event_time, 1, 19) || zone) || '.' || substr(digits || '000000', 1, 6) || 'Z' AS utc
  FROM (SELECT *, CASE WHEN tail = '' THEN 'Z'
                       WHEN tail GLOB '[-+][0-9][0-9][0-9][0-9] *' THEN substr(tail, 1, 3) || ':' || substr(tail, 4, 2)
                       ELSE tail END AS zone
          FROM (SELECT *, iif(rest LIKE '.%', substr(rest, 2, length(rest) - 1 - length(ltrim(substr(rest, 2), '0123456789'))), '')
                            AS digits,
                       ltrim(iif(rest LIKE '.%', ltrim(substr(rest, 2), '0123456789'), rest)) AS tail
                  FROM (SELECT e.id, e.aggregate_id AS old_aggregate, m.aggregate_id, e.sequence, n.name AS event_type, e.state,
                               nullif(e.reference, '') AS reference, e.event_time, substr(e.event_time, 20) AS rest
                          FROM old.events e
                          LEFT JOIN from_go_aggregate m ON m.old_id = e.aggregate_id
                          LEFT JOIN old.event_types n ON n.id = e.event_type_id
                         WHERE e.sequence > coalesce(m.sequence, 0))));

CREATE TEMP TABLE from_go_snapshot AS
SELECT s.id, s.aggregate_id AS old_aggregate, s.sequence, s.state FROM old.snapshots s
 WHERE @snapshot_version IS NOT NULL
   AND s.sequence = (SELECT max(o.sequence) FROM old.snapshots o WHERE o.aggregate_id = s.aggregate_id);

CREATE TEMP TABLE from_go_new AS
SELECT a.id AS old_id, t.name AS aggregate_type, a.natural_key
  FROM old.aggregates a LEFT JOIN old.aggregate_types t ON t.id = a.aggregate_type_id
 WHERE NOT EXISTS (SELECT 1 FROM from_go_aggregate m WHERE m.old_id = a.id)
 ORDER BY a.id;

INSERT INTO from_go_problem
SELECT printf('aggregate %d: ', old_id) ||
       CASE WHEN aggregate_type IS NULL THEN 'its type is not in aggregate_types'
            WHEN length(aggregate_type) NOT BETWEEN 1 AND 64 THEN 'its type is empty or longer than 64 characters'
            WHEN length(natural_key) NOT BETWEEN 1 AND 255 THEN 'its natural key is empty or longer than 255 characters'
            ELSE printf('%s "%s" is in the store already, and not from here', aggregate_type, natural_key) END
  FROM from_go_new
 WHERE aggregate_type IS NULL OR length(aggregate_type) NOT BETWEEN 1 AND 64 OR length(natural_key) NOT BETWEEN 1 AND 255
    OR evercore_find(aggregate_type, natural_key) IS NOT NULL;

INSERT INTO from_go_problem
SELECT printf('event %d: its aggregate %d is not in aggregates', e.id, e.aggregate_id) FROM old.events e
 WHERE NOT EXISTS (SELECT 1 FROM old.aggregates a WHERE a.id = e.aggregate_id) ORDER BY e.id;

INSERT INTO from_go_problem
SELECT printf('event %d: aggregate %d goes from sequence %d to %d', id, aggregate_id, before, sequence)
  FROM (SELECT id, aggregate_id, sequence, lag(sequence, 1, 0) OVER (PARTITION BY aggregate_id ORDER BY id) AS before FROM old.events)
 WHERE sequence <> before + 1 ORDER BY id;

INSERT INTO from_go_problem
SELECT printf('event %d: %s', id,
         CASE WHEN event_type IS NULL THEN 'its type is not in event_types'
              WHEN length(event_type) NOT BETWEEN 1 AND 64 THEN 'its type is empty or longer than 64 characters'
              ELSE 'its state is not a JSON object' END)
  FROM from_go_event
 WHERE event_type IS NULL OR length(event_type) NOT BETWEEN 1 AND 64
    OR CASE WHEN typeof(state) <> 'text' OR NOT json_valid(state) THEN 1 ELSE json_type(state) <> 'object' END
 ORDER BY id;

INSERT INTO from_go_problem
SELECT printf('snapshot %d: %s', id,
         CASE WHEN typeof(state) <> 'text' OR NOT json_valid(state) THEN 'its state is not a JSON object'
              WHEN json_type(state) <> 'object' THEN 'its state is not a JSON object'
              ELSE printf('aggregate %d has no sequence %d', old_aggregate, sequence) END)
  FROM from_go_snapshot s
 WHERE CASE WHEN typeof(state) <> 'text' OR NOT json_valid(state) THEN 1 ELSE json_type(state) <> 'object' END
    OR NOT EXISTS (SELECT 1 FROM old.events e WHERE e.aggregate_id = s.old_aggregate AND e.sequence = s.sequence)
 ORDER BY id;

INSERT INTO from_go_problem
SELECT printf('@custom: no event type "%s"', value) FROM json_each('["' || replace(@custom, ',', '","') || '"]')
 WHERE value NOT IN (SELECT name FROM old.event_types);

SELECT problem FROM from_go_problem LIMIT 20;
SELECT printf('and %d more', count(*) - 20) FROM from_go_problem HAVING count(*) > 20;
DELETE FROM from_go_problem;

SELECT printf('to carry: %d aggregates, %d events', (SELECT count(*) FROM from_go_new), (SELECT count(*) FROM from_go_event));

-- The new ids ascend as the old ones do, so that they can be told apart again: no function that writes may stand in an INSERT.
CREATE TEMP TABLE from_go_head AS SELECT coalesce(max(aggregate_id), 0) AS aggregate_id FROM evercore_aggregates;
SELECT printf('made %d aggregates', count(evercore_create(aggregate_type, natural_key))) FROM from_go_new;
INSERT INTO from_go_aggregate
SELECT n.old_id, a.aggregate_id, 0 FROM from_go_new n
  JOIN (SELECT row_number() OVER (ORDER BY aggregate_id) AS number, aggregate_id, aggregate_type, natural_key
          FROM evercore_aggregates WHERE aggregate_id > (SELECT aggregate_id FROM from_go_head)) a ON a.number = n.rowid
 WHERE a.aggregate_type = n.aggregate_type AND a.natural_key IS n.natural_key;
DROP TABLE from_go_head;

SELECT printf('declared %d event types as custom', count(evercore_event_type(value, 'custom')))
  FROM json_each('["' || replace(@custom, ',', '","') || '"]') WHERE @custom IS NOT NULL;

-- A row that is refused is passed over, and found missing below. expected keeps every event at its old sequence.
INSERT OR IGNORE INTO evercore_append (aggregate_id, expected, event_type, data, reference, event_time, event_id)
SELECT aggregate_id, sequence - 1, event_type, state, reference, event_time, 'go-' || id FROM from_go_event ORDER BY id;

-- An event has arrived when all of it is in its place.
CREATE TEMP VIEW from_go_missing AS
SELECT e.id, e.old_aggregate, e.sequence FROM from_go_event e
 WHERE NOT EXISTS (SELECT 1 FROM evercore_log l
                    WHERE l.aggregate_id = e.aggregate_id AND l.sequence = e.sequence AND l.event_id = 'go-' || e.id
                      AND l.event_type = e.event_type AND l.data = e.state AND l.reference IS e.reference AND l.event_time = e.utc);
INSERT INTO from_go_problem
SELECT printf('event %d: refused, at sequence %d of aggregate %d', id, sequence, old_aggregate)
  FROM (SELECT id, sequence, old_aggregate, row_number() OVER (PARTITION BY old_aggregate ORDER BY id) AS number FROM from_go_missing)
 WHERE number = 1 ORDER BY id;
SELECT problem FROM from_go_problem LIMIT 20;
SELECT printf('and %d more', count(*) - 20) FROM from_go_problem HAVING count(*) > 20;
SELECT printf('nothing was written; event %d is refused because of:', min(id)) FROM from_go_missing HAVING count(*) > 0;
INSERT OR ROLLBACK INTO evercore_append (aggregate_id, expected, event_type, data, reference, event_time, event_id)
SELECT aggregate_id, sequence - 1, event_type, state, reference, event_time, 'go-' || id FROM from_go_event
 WHERE id = (SELECT min(id) FROM from_go_missing);
DELETE FROM from_go_problem;

UPDATE from_go_aggregate AS m SET sequence = o.sequence
  FROM (SELECT aggregate_id, max(sequence) AS sequence FROM old.events GROUP BY aggregate_id) AS o
 WHERE o.aggregate_id = m.old_id AND o.sequence <> m.sequence;

SELECT printf('saved %d snapshots', count(evercore_save_snapshot(m.aggregate_id, s.sequence, s.state, @snapshot_version)))
  FROM from_go_snapshot s JOIN from_go_aggregate m ON m.old_id = s.old_aggregate WHERE @snapshot_version IS NOT NULL;

-- What is there in all, before it is kept.
INSERT INTO from_go_problem
SELECT printf('%s: %d in the old database, %d carried', what, old, carried)
  FROM (SELECT 'aggregates' AS what, (SELECT count(*) FROM old.aggregates) AS old,
               (SELECT count(*) FROM from_go_aggregate m JOIN evercore_aggregates a USING (aggregate_id)) AS carried
        UNION ALL
        SELECT 'events', (SELECT count(*) FROM old.events),
               (SELECT coalesce(sum(m.sequence), 0) FROM from_go_aggregate m JOIN evercore_aggregates a USING (aggregate_id)
                 WHERE a.sequence >= m.sequence))
 WHERE old <> carried;
SELECT problem FROM from_go_problem;
DELETE FROM from_go_problem;
SELECT printf('the store has all of %d aggregates and %d events', count(*), coalesce(sum(sequence), 0)) FROM from_go_aggregate;
COMMIT;
