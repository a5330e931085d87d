-- evercore_append_many(appends): many events, many aggregates, one atomic call. It takes and gives a JSON array.

-- a type and a key create the aggregate where it is missing; the answer has one object per append, for its last event
SELECT evercore_append_many('[
  {"aggregate_type":"User", "natural_key":"ann", "expected":0, "events":[
    {"event_type":"Registered", "data":{"name":"Ann"}},
    {"event_type":"Renamed", "data":{"name":"Anna"}}]},
  {"aggregate_type":"User", "natural_key":"bob", "events":[
    {"event_type":"Registered", "data":{"name":"Bob"}}]}
]') AS appends;
SELECT position, aggregate_id, natural_key, sequence, event_type, data FROM evercore_log ORDER BY position;

-- an id will do for an aggregate that exists
SELECT evercore_append_many('[{"aggregate_id":1,"expected":2,"events":[{"event_type":"Promoted","data":{"level":2}}]}]') AS appends;

-- an event may have all the fields of the function
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Promoted","data":{"level":3},"reference":"by ann",
  "metadata":{"causation":"m-1"},"event_time":"2026-04-01T12:00:00+02:00","event_id":"p-2"}]}]') AS appends;
SELECT sequence, event_type, data, reference, metadata, event_time, event_id FROM evercore_events(2, 1);

-- an optional member may be null, as an optional argument may
SELECT evercore_append_many('[{"aggregate_id":2,"expected":null,"events":[{"event_type":"Praised","data":{},"reference":null,
  "metadata":null,"event_time":null,"event_id":null}]}]') AS appends;
SELECT sequence, reference, metadata, event_time, event_id FROM evercore_events(2, 2);

-- the effects come in the order of the array: two appends to one aggregate see each other
SELECT evercore_append_many('[
  {"aggregate_type":"User","natural_key":"cyd","expected":0,"events":[{"event_type":"Registered","data":{}}]},
  {"aggregate_id":1,"expected":3,"events":[{"event_type":"Greeted","data":{}}]},
  {"aggregate_type":"User","natural_key":"cyd","expected":1,"events":[{"event_type":"Greeted","data":{}},{"event_type":"Left","data":{}}]}
]') AS appends;

-- data and metadata are stored byte for byte, as they stand in the text
SELECT evercore_append_many('[{"aggregate_id":3,"events":[{"event_type":"Kept","data": { "b" : 1.0, "a":[1,  2e2],"é":"\u0041\/" } ,"metadata":{"z":-0 ,"y":null}}]}]') AS appends;
SELECT data, metadata FROM evercore_events(3, 3);

-- … and may be given as text that holds them: then it is that text, as everywhere else
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Quoted","data":"{ \"b\" : 1.0,\n\"\u00e9\":\"\\u0041\\/\"}","metadata":"{\"z\":-0}","event_id":"q-2"}]}]') AS appends;
SELECT data, metadata FROM evercore_events(2, 3);
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Quoted","data":"{ \"b\" : 1.0,\n\"\u00e9\":\"\\u0041\\/\"}","event_id":"q-2"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":2,"events":[{"event_type":"Quoted","data":"{\"b\":1.0}","event_id":"q-2"}]}]') AS appends;

-- strings of the array mean what they say: escapes in names and keys are read
SELECT evercore_append_many('[{"aggregate_type":"Us\u0065r","natural_key":"d\"\\\u00e9","events":[{"event_type":"Regist\u0065red","data":{},"reference":"tab\there"}]}]') AS appends;
SELECT aggregate_type, natural_key, event_type, reference FROM evercore_events(4);

-- no appends, no answers
SELECT evercore_append_many('[]') AS appends;

-- a stale version anywhere is EV001, and nothing of the call remains
SELECT evercore_append_many('[
  {"aggregate_id":3,"events":[{"event_type":"Lost","data":{}}]},
  {"aggregate_type":"User","natural_key":"eve","events":[{"event_type":"Lost","data":{}}]},
  {"aggregate_id":1,"expected":2,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_sequence(3), evercore_find('User', 'eve'), count(*) FROM evercore_log WHERE event_type = 'Lost';

-- … and so is one that an earlier append of the same call made stale
SELECT evercore_append_many('[
  {"aggregate_id":1,"expected":4,"events":[{"event_type":"Lost","data":{}}]},
  {"aggregate_id":1,"expected":4,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_sequence(1);

-- the transaction around a refused call can be rolled back as ever
BEGIN;
SELECT evercore_append(1, 4, 'Undone', '{}');
SELECT evercore_append_many('[{"aggregate_id":1,"expected":4,"events":[{"event_type":"Undone","data":{}}]}]') AS appends;
ROLLBACK;
SELECT evercore_sequence(1);

-- an aggregate that does not exist is EV002
SELECT evercore_append_many('[{"aggregate_id":99,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;

-- an append needs an id, or a type and a key, never both
SELECT evercore_append_many('[{"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"User","events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":null,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"natural_key":"ann","events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"aggregate_type":"User","natural_key":"ann","events":[{"event_type":"Lost","data":{}}]}]') AS appends;

-- what is not an array of appends is refused
SELECT evercore_append_many(NULL) AS appends;
SELECT evercore_append_many('[{"aggregate_id":1') AS appends;
SELECT evercore_append_many('{"aggregate_id":1,"events":[]}') AS appends;
SELECT evercore_append_many('[1]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":null}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":{"event_type":"Lost"}}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":["Lost"]}]') AS appends;

-- and so of one that stands beside others that are right
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]},{"aggregate_id":1}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]},{"aggregate_id":1,"events":null}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]},{"events":[{"event_type":"E","data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}},{"event_type":"E"}]}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E"},{"event_type":"E","data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}},{"data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"tags":["t"]},{"event_type":"E"}]}]');
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"tags":["t"]},{"data":{}}]}]');

-- a member that is none of ours is a slip of the pen
SELECT evercore_append_many('[{"aggregate_id":1,"expekted":4,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{},"time":"2026-01-01T00:00:00Z"}]}]') AS appends;

-- type and key are looked at with the events, so that the first append at fault is named
SELECT evercore_append_many('[{"aggregate_type":"User","natural_key":"","events":[{"event_type":"E","data":{}}]},{"aggregate_type":"","natural_key":"k","events":[{"event_type":"E","data":{}}]}]');
SELECT evercore_append_many('[{"aggregate_type":"User","natural_key":"k","events":[{"event_type":"E","data":{}}]},{"aggregate_type":"","natural_key":"k","events":[{"event_type":"E","data":{}}]}]');
SELECT evercore_find('User', 'k');

-- the members of an event are held to the rules of the arguments
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"expected":-1,"events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"expected":"four","events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":"one","events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":7,"data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{},"event_time":"noon"}]}]') AS appends;

-- … their payloads to the profile, in the words of EV004
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":[1]}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"Lost"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":1,"\u0061":2}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":9223372036854775808}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{},"metadata":{"a":"\u0000"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":"\ud800"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":1e999}}]}]') AS appends;

-- … also where they are given as text
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":""}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"null"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"\"{}\""}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"[1]"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":1,\"a\":2}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":\"\\u0000\"}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":\"\u0000\"}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":\"\\ud800\"}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":\"\ud800\"}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{\"a\":1e999}"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{}","metadata":"{\"a\":1"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"","data":"{}","metadata":7}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"","data":"{}"}]}]') AS appends;

-- of several events at fault the first one is named, also where a later one is no JSON by itself
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"","data":{}}, {"event_type":"Lost","data":{"a":"\ud800"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"expected":-1,"events":[{"event_type":"Lost","data":{}}]}, {"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":"\ud800"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":"\ud800"}}, {"event_type":"","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{}}, {"event_type":"","data":{"a":"\ud800"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":"{}","metadata":null,"tags":["a"]}, {"event_type":"Lost","data":{},"tags":["\ud800"]}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{},"tags":["a"]}, {"event_type":"Lost","data":"{}","metadata":{"a":"\ud800"}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_type":"Lost","natural_key":"\ud800","events":[{"event_type":"Lost","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"\ud800","data":{}}]}]') AS appends;

-- an event_id that is kept back by a conflict may be said again in the same call, with the same content
SELECT evercore_append_many('[{"aggregate_id":1,"expected":999,"events":[{"event_type":"Lost","data":{},"event_id":"again"}]},{"aggregate_id":1,"events":[{"event_type":"Lost","data":{},"event_id":"again"}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"expected":999,"events":[{"event_type":"Lost","data":{},"event_id":"again"}]},{"aggregate_id":1,"events":[{"event_type":"Lost","data":{"a":1},"event_id":"again"}]}]') AS appends;

-- a member given twice is a slip too, and no name holds a NUL
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","data":{}}],"events":[]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost","\u0065vent_type":"Found","data":{}}]}]') AS appends;
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"Lost\u0000","data":{}}]}]') AS appends;

-- nothing of all that was written, and all is well with the store
SELECT count(*) FROM evercore_log WHERE event_type = 'Lost';
SELECT * FROM evercore_check();
