-- Numbers and texts: what stands for what, alike in every form.

-- a text that is exactly an integer is one, wherever an integer is asked for
SELECT evercore_create('T', 'a');
SELECT evercore_append('1', '0', 'E', '{"n":1}'), evercore_append(' 1', '+1', 'E', '{"n":2}');
SELECT evercore_state('1', '1') AS state;
SELECT evercore_sequence('1'), (SELECT count(*) FROM evercore_follow('0', '10')), (SELECT count(*) FROM evercore_events('1', '1')), (SELECT count(*) FROM evercore_history('1'));
SELECT evercore_subscribe('s', NULL, '1', '1'), evercore_claim('s', 'w', '30');
SELECT evercore_save_snapshot('1', '2', '{}', '7'), evercore_snapshot_policy('T', '0', '1'), evercore_rekey('1', 'b'), evercore_compact('1', '5');

-- … in the INSERT form and the members of evercore_append_many
INSERT INTO evercore_append (aggregate_id, expected, event_type, data) VALUES ('1', '2', 'E', '{}');
SELECT evercore_append_many('[{"aggregate_id":"1","expected":"3","events":[{"event_type":"E","data":{}}]}]') AS appends;

-- … and no other text is
SELECT evercore_append_many('[{"aggregate_id":"1.0","events":[{"event_type":"E","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":"","events":[{"event_type":"E","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"expected":"9223372036854775808","events":[{"event_type":"E","data":{}}]}]') AS appends;

-- an integer in the place of a key or an id is its digits, and so is a number that is whole
SELECT evercore_ensure('T', 42);
SELECT evercore_find('T', '42'), evercore_find('T', 42), evercore_ensure('T', '42');
SELECT evercore_create('T', 123.0);
SELECT evercore_find('T', '123'), evercore_find('T', 123.0), evercore_find('T', '123.0'), evercore_create('T', 1234567890123456.0);
SELECT evercore_find('T', '1234567890123456'), evercore_find('T', 1234567890123456);
SELECT evercore_rekey(evercore_find('T', 42), 43);
SELECT evercore_find('T', 43);
SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 99), evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, '99');
SELECT evercore_append(1, NULL, 'E', '{}', 7);
SELECT event_id, reference FROM evercore_events(1, 4);
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, event_id) VALUES ('T', 44, 'E', '{}', 8, 100);
SELECT natural_key, reference, event_id FROM evercore_events(evercore_find('T', '44'));
SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":44,"events":[{"event_type":"E","data":{},"reference":9,"event_id":101}]}]') AS appends;
SELECT natural_key, reference, event_id FROM evercore_events(evercore_find('T', '44'), 1);
SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":44.5,"events":[{"event_type":"E","data":{}}]}]') AS appends;
SELECT evercore_claim('s', 7, 30);

-- … and any other real is the shortest text that reads back as it, so that two numbers are two names
SELECT CASE evercore_ensure('N', CAST('1234567890123456768' AS double precision)) WHEN evercore_ensure('N', CAST('1234567890123457024' AS double precision)) THEN 'one' ELSE 'two' END;
SELECT CASE evercore_ensure('N', CAST('0.30000000000000004' AS double precision)) WHEN evercore_ensure('N', CAST('0.3' AS double precision)) THEN 'one' ELSE 'two' END;
SELECT evercore_rekey(evercore_create('N'), CAST('1e-7' AS double precision)) - evercore_ensure('N', CAST('1e-7' AS double precision)), evercore_ensure('N', CAST('-9007199254740992' AS double precision)) - evercore_ensure('N', -9007199254740992);
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('N', CAST('1e300' AS double precision), 'E', '{}', CAST('1234567890123457024' AS double precision));
SELECT natural_key FROM evercore_aggregates WHERE aggregate_type = 'N' ORDER BY aggregate_id;
SELECT event_id FROM evercore_events(evercore_find('N', '1e+300'));

-- an empty text in a column that may be left off is a fault, which names the column and the row
INSERT INTO evercore_append (aggregate_id, event_type, data, reference) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', '');
INSERT INTO evercore_append (aggregate_id, event_type, data, metadata) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', '');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', NULL), (1, 'E', '{}', '');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'E', '{}', ''), (1, 'E', '{}', NULL);
INSERT INTO evercore_append (aggregate_id, event_type, data, natural_key) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', '');
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'a', 'E', '{}'), ('', 'a', 'E', '{}');

-- every fault of a statement of many rows names the row
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (1, 'E', '{}'), (1, 'E', '[]');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, '', '{}'), (1, 'E', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (999, 'E', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', NULL), (1, 'E', '{}', 2);
INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES (1, 'E', '{}', -1), (1, 'E', '{}', NULL);
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'E', '{"other":1}', '99'), (1, 'E', '{}', NULL);
INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, 'E', '{}', 'new'), (1, 'E', '{}', '99');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) SELECT aggregate_id, 'E', CASE sequence WHEN 3 THEN '{' ELSE '{}' END, '2026-01-01' FROM evercore_events(1);
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', NULL), (1, 'E', '{}');

-- … one of a single row has none to name
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '[]');
INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1, 'E', '[]';
INSERT INTO evercore_append (aggregate_id, event_type, data, reference) VALUES (1, 'E', '{}', '');

-- none of these was written; in a transaction rows are counted by statement
SELECT evercore_sequence(1);
BEGIN;
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (1, 'E', '{}'), (1, 'E', '{}');
INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (1, 'E', '[]');
ROLLBACK;

-- all is well with the store
SELECT * FROM evercore_check();
