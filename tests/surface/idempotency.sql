-- Idempotency: an event_id makes an append safe to repeat, for ever and in every mode.

-- the first time the events are written
SELECT evercore_append(evercore_ensure('Invoice', '7'), 0, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, 1, 'Sent', '{"by":"post"}');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Batch', 'x', 'Begun', '{}'), ('Batch', 'y', 'Begun', '{}');
SELECT evercore_append_many('[
  {"aggregate_type":"Batch","natural_key":"x","expected":1,"events":[{"event_type":"A","data":{"n":1},"event_id":"b-1"},{"event_type":"A","data":{"n":2},"event_id":"b-2"}]},
  {"aggregate_type":"Batch","natural_key":"y","expected":1,"events":[{"event_type":"A","data":{"n":3},"event_id":"b-3"}]}]') AS appends;

-- the same id with the same content gives back the original sequence and writes nothing
SELECT evercore_append(1, NULL, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_sequence(1);

-- … whatever is expected: the version has moved on since
SELECT evercore_append(1, 0, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, 2, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, 77, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');

-- … content is aggregate, event type and data: reference, metadata and time may differ
SELECT evercore_append(1, NULL, 'Issued', '{"total":50}', 'again', '{"try":2}', '2026-05-05T05:05:05Z', 'inv-7');
SELECT sequence, reference, metadata, event_time FROM evercore_events(1, 0, 1);

-- other content is EV007: other data, other bytes of the same data, another type, another aggregate
SELECT evercore_append(1, NULL, 'Issued', '{"total":51}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, NULL, 'Issued', '{"total": 50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, NULL, 'Reissued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(evercore_ensure('Invoice', '8'), NULL, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT count(*) FROM evercore_log WHERE event_type IN ('Issued', 'Reissued');

-- ids are compared by code point
SELECT evercore_append(1, 2, 'Paid', '{}', NULL, NULL, NULL, 'INV-7');

-- an event_id is unique in the store, across types
SELECT evercore_append(evercore_ensure('Order', '7'), NULL, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');

-- a new event behind a repeat is a mixture before it is anything else, but for an aggregate that is not there
INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_id) VALUES (1, NULL, 'Issued', '{"total":50}', 'inv-7'), (1, 77, 'Sent', '{}', NULL);
INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_id) VALUES (1, NULL, 'Issued', '{"total":50}', 'inv-7'), (1, 77, 'Sent', '{}', 'inv-new');
INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_id) VALUES (1, NULL, 'Issued', '{"total":50}', 'inv-7'), (999, NULL, 'Sent', '{}', NULL);
INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_id) VALUES (1, NULL, 'Issued', '{"total":50}', 'inv-7'), (1, NULL, 'Issued', '{"total":50}', 'inv-7');

-- those who do not use it repeat themselves freely
SELECT evercore_append(1, NULL, 'Reminded', '{}');
SELECT evercore_append(1, NULL, 'Reminded', '{}');

-- the INSERT form: a statement of repeats writes nothing
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":1}', 'p-1'), ('Payment', 'p', 'Made', '{"n":2}', 'p-2');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":1}', 'p-1'), ('Payment', 'p', 'Made', '{"n":2}', 'p-2');
INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data, event_id) VALUES
  ('Payment', 'p', 1, 'Made', '{"n":2}', 'p-2');
SELECT sequence, data, event_id FROM evercore_events(evercore_find('Payment', 'p'));

-- … a mixture of repeats and new events is EV007, and nothing is written, in either order
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":2}', 'p-2'), ('Payment', 'p', 'Made', '{"n":3}', 'p-3');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":3}', 'p-3'), ('Payment', 'p', 'Made', '{"n":2}', 'p-2');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":1}', 'p-1'), ('Payment', 'p', 'Noted', '{}', NULL);
SELECT evercore_sequence(evercore_find('Payment', 'p'));

-- … and so is one id twice in a statement
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES
  ('Payment', 'p', 'Made', '{"n":9}', 'p-9'), ('Payment', 'p', 'Made', '{"n":9}', 'p-9');

-- … other content in a statement is EV007 too
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('Payment', 'p', 'Made', '{"n":1.0}', 'p-1');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('Payment', 'q', 'Made', '{"n":1}', 'p-1');
SELECT evercore_find('Payment', 'q'), evercore_sequence(evercore_find('Payment', 'p'));

-- evercore_append_many answers a call of repeats as the first time
SELECT evercore_append(evercore_find('Batch', 'x'), 3, 'B', '{}');
SELECT evercore_append_many('[
  {"aggregate_type":"Batch","natural_key":"x","expected":1,"events":[{"event_type":"A","data":{"n":1},"event_id":"b-1"},{"event_type":"A","data":{"n":2},"event_id":"b-2"}]},
  {"aggregate_type":"Batch","natural_key":"y","expected":1,"events":[{"event_type":"A","data":{"n":3},"event_id":"b-3"}]}]') AS appends;
SELECT natural_key, sequence, event_id FROM evercore_log WHERE aggregate_type = 'Batch' ORDER BY position;

-- … and refuses a mixture
SELECT evercore_append_many('[{"aggregate_type":"Batch","natural_key":"x","events":[{"event_type":"A","data":{"n":1},"event_id":"b-1"},{"event_type":"A","data":{"n":4},"event_id":"b-4"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Batch","natural_key":"x","events":[{"event_type":"A","data":{"n":1},"event_id":"b-1"}]},
  {"aggregate_type":"Batch","natural_key":"z","events":[{"event_type":"A","data":{"n":4}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Batch","natural_key":"x","events":[{"event_type":"A","data":{"n":5},"event_id":"b-5"},{"event_type":"A","data":{"n":5},"event_id":"b-5"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Batch","natural_key":"x","events":[{"event_type":"A","data":{"n": 1},"event_id":"b-1"}]}]') AS appends;
SELECT evercore_find('Batch', 'z'), evercore_sequence(evercore_find('Batch', 'x'));

-- what one form has written, another repeats
SELECT evercore_append(evercore_find('Batch', 'y'), 0, 'A', '{"n":3}', NULL, NULL, NULL, 'b-3');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('Batch', 'y', 'A', '{"n":3}', 'b-3');
SELECT evercore_sequence(evercore_find('Batch', 'y'));

-- an id whose append was rolled back is new
BEGIN;
SELECT evercore_append(1, 5, 'Cancelled', '{"why":"a"}', NULL, NULL, NULL, 'c-1');
SELECT evercore_append(1, 5, 'Cancelled', '{"why":"a"}', NULL, NULL, NULL, 'c-1');
ROLLBACK;
SELECT evercore_append(1, 5, 'Cancelled', '{"why":"b"}', NULL, NULL, NULL, 'c-1');

-- compaction forgets no id: a repeat answers as the first time, other content is still EV007
SELECT evercore_compact(1, 0);
SELECT count(*) FROM evercore_events(1);
SELECT evercore_append(1, NULL, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, 0, 'Cancelled', '{"why":"b"}', NULL, NULL, NULL, 'c-1');
SELECT evercore_append(1, NULL, 'Issued', '{"total":51}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(1, NULL, 'Paid', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_append(evercore_find('Batch', 'x'), NULL, 'Issued', '{"total":50}', NULL, NULL, NULL, 'inv-7');
SELECT evercore_compact(evercore_find('Batch', 'x'), 1);
SELECT evercore_append_many('[{"aggregate_type":"Batch","natural_key":"x","events":[{"event_type":"A","data":{"n":1},"event_id":"b-1"}]},
  {"aggregate_type":"Batch","natural_key":"y","events":[{"event_type":"A","data":{"n":3},"event_id":"b-3"}]}]') AS appends;

-- … in a mixture too
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'Issued', '{"total":50}', 'inv-7'), (1, 'Closed', '{}', NULL);
SELECT evercore_sequence(1);

-- all is well with the store
SELECT * FROM evercore_check();
