-- The machine's own package history as an event store, in the sqlite3 shell and with nothing but SQL.
-- `make demo` runs this; @log is the file, by default /var/log/dpkg.log. Lines look like
--   2026-11-21 22:10:41 install libxml2:amd64 <none> 2.9.14
--   2026-11-21 22:10:42 status installed libxml2:amd64 2.9.14
.load build/evercore
.bail on
.output /dev/null
PRAGMA journal_mode = WAL;  -- it would print its name
.output
SELECT 'schema version ' || evercore_migrate();
.bail off

.print
.print == Import: one aggregate of type Package per package, one event per line
CREATE TEMP TABLE line AS
SELECT key + 1 AS number, '["' || replace(value, ' ', '","') || '"]' AS fields
  FROM json_each('["' || replace(replace(replace(CAST(readfile(@log) AS TEXT), '\', ''), '"', ''),
                                 char(10), '","') || '"]');
CREATE TEMP TABLE entry AS
SELECT number, fields ->> 0 || 'T' || (fields ->> 1) AS time, fields ->> 2 AS action,
       iif(fields ->> 2 = 'status', fields ->> 4, fields ->> 3) AS package,
       CASE fields ->> 2
         WHEN 'status'  THEN json_object('status', fields ->> 3, 'version', fields ->> 5)
         WHEN 'upgrade' THEN json_object('last_action', 'upgrade', 'previous', fields ->> 4)
         ELSE json_object('last_action', fields ->> 2)
       END AS data
  FROM line
 WHERE fields ->> 2 IN ('install', 'upgrade', 'configure', 'trigproc', 'remove', 'purge', 'status');

-- One atomic statement. The event_id makes it safe to run again: repeats write nothing.
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time, event_id)
SELECT 'Package', package, action, data, time, 'dpkg.log:' || number FROM entry ORDER BY number;

SELECT name, value FROM evercore_stats() WHERE name IN ('aggregates', 'events', 'oldest_recorded_at');
.mode box

.print
.print == The busiest packages
SELECT natural_key AS package, sequence AS events, substr(first_event_time, 1, 19) AS first,
       substr(last_event_time, 1, 19) AS last
  FROM evercore_aggregates ORDER BY sequence DESC, natural_key LIMIT 5;

CREATE TEMP TABLE busiest AS
SELECT aggregate_id AS id, natural_key AS package, sequence AS version
  FROM evercore_aggregates ORDER BY sequence DESC, natural_key LIMIT 1;

.print
.print == The history of the busiest, with its state after each event (the first ten)
SELECT h.sequence, h.event_type, h.data, h.state
  FROM busiest, evercore_history(busiest.id) AS h LIMIT 10;

.print
.print == Its state now, and as it was at sequence 3
SELECT package, evercore_state(id) AS now, evercore_state(id, 3) AS at_sequence_3 FROM busiest;

.print
.print == An append that expects sequence 1 is stale, and rejected
BEGIN IMMEDIATE;
SELECT evercore_append(id, 1, 'status', '{"status":"lost"}') FROM busiest;
COMMIT;

.print
.print == Snapshots: one for the busiest; compaction: all packages keep their newest 2 events
BEGIN IMMEDIATE;
SELECT package, evercore_snapshot(id) AS snapshot_at FROM busiest;
COMMIT;
SELECT evercore_compact_type('Package', 2) AS packages_compacted;
SELECT name, value FROM evercore_stats() WHERE name IN ('events', 'snapshots', 'data_bytes');
SELECT package, evercore_state(id) AS state_as_before FROM busiest;

.print
.print == evercore_check() looks at every promise of the store; no row means that all is well
SELECT count(*) AS problems FROM evercore_check();

.print
.print == Importing again changes nothing: every event_id is known, compacted or not
CREATE TEMP TABLE head AS SELECT value AS before FROM evercore_stats() WHERE name = 'head_position';
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time, event_id)
SELECT 'Package', package, action, data, time, 'dpkg.log:' || number FROM entry ORDER BY number;
SELECT before AS head_before, value AS head_after FROM head, evercore_stats() WHERE name = 'head_position';
