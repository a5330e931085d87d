-- Appending one event by evercore_append(id, expected, event_type, data [, reference, metadata, event_time, event_id]),
-- and any number of them by INSERT INTO evercore_append.

-- evercore_append adds one event to an aggregate and gives its sequence
SELECT evercore_create('Account', 'A-1');
SELECT evercore_append(1, NULL, 'Opened', '{"owner":"ann","balance":0}');

-- a number for expected is the exact version required just before the append
SELECT evercore_append(1, 1, 'Deposited', '{"balance":100}');

-- … 0 means no event yet
SELECT evercore_create('Account', 'A-2');
SELECT evercore_append(2, 0, 'Opened', '{"owner":"bob","balance":0}');

-- NULL means any version
SELECT evercore_append(1, NULL, 'Deposited', '{"balance":130}');

-- a version that is not the expected one is EV001, behind, ahead or at 0, and nothing is written
SELECT evercore_append(1, 2, 'Withdrawn', '{"balance":80}');
SELECT evercore_append(1, 4, 'Withdrawn', '{"balance":80}');
SELECT evercore_append(1, 0, 'Opened', '{"balance":0}');
SELECT evercore_sequence(1);

-- reference, metadata, event_time and event_id are optional
SELECT evercore_append(1, 3, 'Withdrawn', '{"balance":30}', 'teller 4', '{"correlation":"c-17"}', '2026-01-05T10:00:00Z', 'w-1');
SELECT sequence, event_type, data, reference, metadata, event_time, event_id FROM evercore_events(1, 3);

-- … and each may be NULL: event_time is then the time of the append
SELECT evercore_append(1, NULL, 'Frozen', '{}', NULL, NULL, NULL, NULL);
SELECT evercore_append(1, NULL, 'Thawed', '{}', 'by phone');
SELECT sequence, event_type, reference, metadata, event_time, recorded_at, event_id FROM evercore_events(1, 4);

-- appends compose with evercore_find and evercore_ensure
SELECT evercore_append(evercore_find('Account', 'A-2'), 1, 'Deposited', '{"balance":7}');
SELECT evercore_append(evercore_ensure('Account', 'A-3'), 0, 'Opened', '{"owner":"cyd","balance":0}');

-- an aggregate that does not exist is EV002, and so is the NULL of an evercore_find that found none
SELECT evercore_append(99, NULL, 'Opened', '{}');
SELECT evercore_append(evercore_find('Account', 'nobody'), NULL, 'Opened', '{}');
SELECT evercore_append(evercore_find('Account', 'nobody'), 0, 'Opened', '{}', NULL, NULL, NULL, 'an-id');

-- an argument out of range, or a required one that is NULL, is EV009; a missing name is EV005
SELECT evercore_append(1, -1, 'Opened', '{}');
SELECT evercore_append(1, NULL, 'Opened', NULL);
SELECT evercore_append(1, NULL, NULL, '{}');

-- a reference is free text of up to 1,000 characters
SELECT evercore_append(1, 6, 'Noted', '{}', replace(replace('aaaaaaaaaa', 'a', 'bbbbbbbbbb'), 'b', 'é123456789'));
SELECT length(reference) FROM evercore_events(1, 6);
SELECT evercore_append(1, 7, 'Noted', '{}', replace(replace('aaaaaaaaaa', 'a', 'bbbbbbbbbb'), 'b', 'é123456789') || '.');

-- a transaction takes its appends with it; the sequences are given again
BEGIN;
SELECT evercore_append(1, 7, 'Closed', '{}');
SELECT evercore_append(1, 8, 'Reopened', '{}');
ROLLBACK;
SELECT evercore_append(1, 7, 'Reviewed', '{}');

-- INSERT INTO evercore_append is the form for scripts: a type and a key, created where it is missing
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  VALUES ('Account', 'B-1', 'Opened', '{"balance":0}'), ('Account', 'A-3', 'Deposited', '{"balance":5}'),
         ('Account', 'B-1', 'Deposited', '{"balance":9}');
SELECT natural_key, sequence, event_type, data FROM evercore_log WHERE natural_key IN ('B-1', 'A-3') ORDER BY position;

-- … or the id of an aggregate that exists, and any of the other fields
INSERT INTO evercore_append (aggregate_id, expected, event_type, data, reference, metadata, event_time, event_id)
  VALUES (2, 2, 'Audited', '{"ok":true}', 'yearly', '{"by":"firm"}', '2026-02-01T00:00:00Z', 'audit-2026');
SELECT natural_key, sequence, event_type, data, reference, metadata, event_time, event_id FROM evercore_events(2, 2);

-- expected is checked just before each row
INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data) VALUES
  ('Account', 'C-1', 0, 'Opened', '{}'), ('Account', 'C-1', 1, 'Deposited', '{"balance":1}'),
  ('Account', 'C-1', 2, 'Deposited', '{"balance":2}');
SELECT evercore_sequence(evercore_find('Account', 'C-1'));

-- a statement is atomic: a conflict in its last row leaves nothing behind, no new aggregate either
INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data) VALUES
  ('Account', 'D-1', 0, 'Opened', '{}'), ('Account', 'A-2', 3, 'Deposited', '{}'), ('Account', 'A-2', 3, 'Deposited', '{}');
SELECT evercore_find('Account', 'D-1'), evercore_sequence(2);

-- … a row whose payload is refused does the same
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Account', 'D-1', 'Opened', '{}'), ('Account', 'D-1', 'Deposited', '[1]');
SELECT evercore_find('Account', 'D-1');

-- any query can feed it, a table of the user's own for instance
CREATE TABLE deposits (account text, amount integer, at text);
INSERT INTO deposits VALUES ('E-1', 20, '2026-01-01T08:00:00Z'), ('E-2', 40, '2026-01-02T08:00:00Z'), ('E-1', 25, '2026-01-03T08:00:00Z');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time)
  SELECT 'Account', account, 'Deposited', '{"balance":' || amount || '}', at FROM deposits ORDER BY at;
SELECT natural_key, sequence, data, event_time FROM evercore_log WHERE natural_key LIKE 'E-%' ORDER BY position;

-- a query that finds nothing appends nothing
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Account', account, 'Deposited', '{}' FROM deposits WHERE amount > 1000;
SELECT count(*) FROM evercore_log WHERE natural_key LIKE 'E-%';

-- the events of one aggregate can be copied into another, times, metadata and all
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_time)
  SELECT 'Archive', natural_key, event_type, data, reference, metadata, event_time FROM evercore_events(1, 3, 1);
SELECT aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time
  FROM evercore_events(evercore_find('Archive', 'A-1'));

-- … and into itself: a table function is bounded at its start, so that it never feeds on its own rows
INSERT INTO evercore_append (aggregate_id, event_type, data)
  SELECT aggregate_id, event_type, data FROM evercore_events(2);
SELECT sequence, event_type, data FROM evercore_events(2);

-- … the same for the whole store by evercore_follow
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Copy', natural_key, event_type, data FROM evercore_follow() WHERE aggregate_type = 'Account';
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Copy';
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Account';

-- … reading evercore_log while feeding it is bounded too: it never feeds on its own rows
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
  SELECT 'Second', natural_key, event_type, data FROM evercore_log WHERE aggregate_type IN ('Copy', 'Second');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Second';

-- it needs an id, or a type and a key, never both
INSERT INTO evercore_append (event_type, data) VALUES ('Opened', '{}');
INSERT INTO evercore_append (aggregate_type, event_type, data) VALUES ('Account', 'Opened', '{}');
INSERT INTO evercore_append (natural_key, event_type, data) VALUES ('A-1', 'Opened', '{}');
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data) VALUES (1, 'Account', 'A-1', 'Opened', '{}');
INSERT INTO evercore_append (aggregate_id, natural_key, event_type, data) VALUES (1, 'A-1', 'Opened', '{}');

-- its faults are those of the function
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (99, 'Opened', '{}');
INSERT INTO evercore_append (aggregate_id, expected, event_type, data) VALUES (1, 3, 'Opened', '{}');
INSERT INTO evercore_append (aggregate_id, expected, event_type, data) VALUES (1, -5, 'Opened', '{}');
INSERT INTO evercore_append (aggregate_id, event_type) VALUES (1, 'Opened');
INSERT INTO evercore_append (aggregate_id, data) VALUES (1, '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, 'Opened', '{}', 'tomorrow');

-- it is written to, not read: it has no rows
SELECT * FROM evercore_append;
SELECT count(*) FROM evercore_append WHERE aggregate_type = 'Account';

-- all is well with the store
SELECT * FROM evercore_check();
