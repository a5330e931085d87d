-- The views of shop.h, made by evercoregen's script, on both engines.

-- every kind of member is a column; what no event says is NULL
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('shop-order', 'o-1', 'OrderPlaced', '{"paid":true,"tiny":-128,"amount":9223372036854775807,"count":4294967295,"weight":2.5,"rate":1e-3,"note":"it''s \"é\" 🙂\n","colour":"green","due":"2026-11-21T22:10:41.123456Z","exact":"1969-12-31T23:59:59.123456789Z","discount":-5,"tip":{"cents":7,"currency":"NOK"},"price":{"cents":1,"currency":""},"tags":["a","b"],"size":[1,2],"extras":{"wrap":0.5},"payment":{"string":"cash"}}', '2026-01-01T00:00:00Z'),
  ('shop-order', 'o-2', 'OrderPlaced', '{"paid":false,"amount":-9223372036854775808,"weight":5,"note":""}', '2026-01-02T00:00:00Z');
SELECT position, aggregate_id, natural_key, sequence, event_time FROM order_placed ORDER BY position;
SELECT natural_key, CASE WHEN paid THEN 'yes' ELSE 'no' END AS paid, tiny, amount, count FROM order_placed ORDER BY position;
SELECT weight, rate, note, colour, discount FROM order_placed ORDER BY position;
SELECT due, exact FROM order_placed ORDER BY position;
SELECT tip, price FROM order_placed WHERE sequence = 1 ORDER BY position;
SELECT tags, size, extras, payment FROM order_placed ORDER BY position;

-- integers are exact, and columns compare and count as what they are
SELECT amount - 7 AS less FROM order_placed WHERE amount > 9223372036854775806;
SELECT natural_key FROM order_placed WHERE amount < 0;
SELECT sum(weight) AS sum FROM order_placed;
SELECT natural_key FROM order_placed WHERE NOT paid;
SELECT natural_key FROM order_placed WHERE note = '';

-- a member of another kind than its column's is NULL, and ends no query
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('shop-order', 'odd', 'OrderPlaced', '{"paid":1,"amount":"5","count":5.0,"weight":"heavy","rate":[],"note":7,"colour":null,"due":"soon","discount":null,"tip":[],"price":null,"tags":{},"size":"[1]","extras":"{}","payment":0}'),
  ('shop-order', 'odd', 'OrderPlaced', '{"paid":"true","amount":1e2,"weight":null,"note":{},"due":5,"discount":true,"tip":"x"}');
SELECT count(*), count(paid), count(amount), count(count), count(weight), count(rate), count(note), count(colour), count(due), count(discount),
       count(tip), count(price), count(tags), count(size), count(extras), count(payment) FROM order_placed WHERE natural_key = 'odd';

-- an event has a view under its struct's name, which shows its old names too, but not those of the struct it was before
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('shop-order', 'o-1', 'order''s "move"', '{"street":"Elm 4","city":"Oslo"}'), ('shop-order', 'o-1', 'OrderMoved2', '{"city":"Rome"}'),
  ('shop-order', 'o-1', 'OrderMoved3', '{"street":"Oak 9"}'), ('shop-order', 'o-1', 'OrderMoved', '{"address":"Elm 4"}');
SELECT sequence, street, city FROM order_moved ORDER BY position;

-- words of SQL are quoted, and a member with the name of a fixed column gets a prefix
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('shop-order', 'o-1', 'Select', '{"from":"here","user":"ann","sequence":"II","naturalKey":"k","HTTPStatus":"200","größe":"XL"}');
SELECT "from", "user", sequence, data_sequence, natural_key, data_natural_key, http_status, "größe" FROM "select";

-- an event without members, and one of two aggregates
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('Account', 'a-1', 'AccountOpened', '{"owner":"Ann"}'), ('Account', 'a-1', 'Closed', '{}'), ('Account', 'a-1', 'Audited', '{"by":"Bob","owner":"nobody"}'),
  ('shop-order', 'o-2', 'Audited', '{"by":"Eve","note":"not folded"}');
SELECT natural_key, sequence FROM closed;
SELECT natural_key, by FROM audited ORDER BY position;

-- the state of each aggregate as SQL folds it, custom events by their rules or not at all
SELECT natural_key, sequence, CASE WHEN paid THEN 'yes' ELSE 'no' END AS paid, amount, weight, street, city, state_sequence, audits
  FROM order_state WHERE natural_key <> 'odd' ORDER BY natural_key;
SELECT natural_key, sequence, owner, closed, audits FROM account_state;
SELECT price AS state FROM order_state WHERE natural_key = 'o-1';
SELECT count(*), count(amount), count(note), count(due), count(tags) FROM order_state WHERE natural_key = 'odd';
SELECT due FROM order_state WHERE natural_key = 'o-1';

-- an erased aggregate keeps its rows, and nothing in them
SELECT evercore_erase(evercore_find('shop-order', 'o-2')) AS erased;
SELECT natural_key, sequence, amount, note FROM order_placed WHERE aggregate_id = 2;
SELECT natural_key, sequence, amount, note FROM order_state WHERE aggregate_id = 2;

-- members under the names that JSON has for them, and types of the program's own
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES
  ('shop-order', 'o-3', 'Listed', '{"note":"n","class":"A","class_":"no","stock-unit":"s-1","rank":3,"stock":{"s-1":2},"labels":["a"],"pair":[1,"x"],"wait":"PT60S","day":"2026-11-21","raw":[{}]}');
SELECT note, class_, sku, rank, wait, day FROM listed;
SELECT stock, labels, pair, raw FROM listed;
