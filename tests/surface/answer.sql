-- What evercore_append_many answers.

-- the positions of one call are consecutive, so that with first_position and sequence the place of each of its events is known
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('Thing', 'c', 'Made', '{}');
SELECT evercore_append_many('[
  {"aggregate_type":"Thing","natural_key":"a","events":[{"event_type":"E","data":{},"event_id":"a1"},{"event_type":"E","data":{},"event_id":"a2"}]},
  {"aggregate_type":"Thing","natural_key":"b","events":[{"event_type":"E","data":{},"event_id":"b1"}]},
  {"aggregate_type":"Thing","natural_key":"a","events":[{"event_type":"E","data":{},"event_id":"a3"}]}]') AS appends;
SELECT position, natural_key, sequence, event_id FROM evercore_log WHERE aggregate_type = 'Thing' AND event_id IS NOT NULL ORDER BY position;

-- a repeat answers as the first time, and says so
SELECT evercore_append_many('[
  {"aggregate_type":"Thing","natural_key":"a","events":[{"event_type":"E","data":{},"event_id":"a1"},{"event_type":"E","data":{},"event_id":"a2"}]},
  {"aggregate_type":"Thing","natural_key":"b","events":[{"event_type":"E","data":{},"event_id":"b1"}]}]') AS appends;

-- where repeats are skipped, first_position is that of the first new event, if any; an append of repeats alone is one
SELECT evercore_append_many('[
  {"aggregate_type":"Thing","natural_key":"a","repeats":"skip","events":[{"event_type":"E","data":{},"event_id":"a3"},
   {"event_type":"E","data":{},"event_id":"a4"},{"event_type":"E","data":{},"event_id":"a5"}]},
  {"aggregate_type":"Thing","natural_key":"a","repeats":"skip","events":[{"event_type":"E","data":{},"event_id":"a6"},{"event_type":"E","data":{},"event_id":"a1"}]},
  {"aggregate_type":"Thing","natural_key":"b","repeats":"skip","events":[{"event_type":"E","data":{},"event_id":"b1"}]}]') AS appends;

