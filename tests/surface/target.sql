-- What an append goes to: aggregates that are there, and those that it makes.

-- a row may name the aggregate that a row above it makes
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data)
  VALUES (NULL, 'T', 'a', 'M', '{}'), (1, NULL, NULL, 'M', '{}');
SELECT aggregate_id, natural_key, sequence FROM evercore_aggregates;

-- ... not one that a row below it, or another append of the same call, is about to make
INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key, event_type, data)
  VALUES (2, NULL, NULL, 'M', '{}'), (NULL, 'T', 'b', 'M', '{}');
SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":"c","events":[{"event_type":"M","data":{}}]},
  {"aggregate_id":3,"events":[{"event_type":"M","data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_id":4,"events":[{"event_type":"M","data":{},"event_id":"i"}]},
  {"aggregate_type":"T","natural_key":"d","events":[{"event_type":"M","data":{}}]}]');
SELECT aggregate_id, natural_key, sequence FROM evercore_aggregates;
