-- Times: event_time is when it happened, as the caller says; recorded_at when the store took it.

-- a time is YYYY-MM-DDThh:mm:ss, with digits of the second and Z or an offset; a blank will do for the T
SELECT evercore_create('Clock', 'c');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES
  (1, 'Ticked', '{}', '2026-03-01T10:20:30Z'), (1, 'Ticked', '{}', '2026-03-01 10:20:30Z'),
  (1, 'Ticked', '{}', '2026-03-01T10:20:30.5Z'), (1, 'Ticked', '{}', '2026-03-01T10:20:30.000001Z'),
  (1, 'Ticked', '{}', '2026-03-01T10:20:30.123456Z');
SELECT sequence, event_time FROM evercore_events(1);

-- without an offset it is UTC, whatever the session thinks; with one it is turned into UTC
SELECT evercore_create('Clock', 'd');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES
  (2, 'Ticked', '{}', '2026-03-01T10:20:30'), (2, 'Ticked', '{}', '2026-03-01 10:20:30.25'),
  (2, 'Ticked', '{}', '2026-03-01T10:20:30+02:00'), (2, 'Ticked', '{}', '2026-03-01T10:20:30-05:30'),
  (2, 'Ticked', '{}', '2026-03-01T00:20:30.75+15:59'), (2, 'Ticked', '{}', '2025-12-31T23:30:00-00:45');
SELECT sequence, event_time FROM evercore_events(2);

-- a day alone is its midnight, minutes will do without seconds, and letters may be small
SELECT evercore_time('2026-03-01'), evercore_time('2026-03-01T10:20'), evercore_time('2026-03-01t10:20:30z');

-- … an offset may be hours alone, stand without its colon, and have seconds
SELECT evercore_time('2026-03-01T10:20:30+02'), evercore_time('2026-03-01T10:20:30-0230'), evercore_time('2026-03-01 10:20+15:59:59');

-- … digits after the sixth are cut, before 1970 too
SELECT evercore_time('2026-03-01T10:20:30.1234567Z'), evercore_time('2026-03-01T10:20:30.123456999'), evercore_time('1969-12-31T23:59:59.999999999Z');

-- years go from 1 to 9999; leap days are days of leap years
SELECT evercore_create('Clock', 'e');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES
  (3, 'Ticked', '{}', '0001-01-01T00:00:00Z'), (3, 'Ticked', '{}', '1582-10-10T12:00:00Z'), (3, 'Ticked', '{}', '1969-12-31T23:59:59.999999Z'),
  (3, 'Ticked', '{}', '2000-02-29T00:00:00Z'), (3, 'Ticked', '{}', '2024-02-29T23:59:59Z'), (3, 'Ticked', '{}', '9999-12-31T23:59:59.999999Z');
SELECT sequence, event_time FROM evercore_events(3);

-- left off or NULL it is now, the same instant as recorded_at
SELECT evercore_append(1, 5, 'Ticked', '{}');
SELECT event_time, recorded_at, CASE WHEN event_time = recorded_at THEN 'the same' END FROM evercore_events(1, 5);

-- event times need not be in the order of sequences: what is told late may have happened early
SELECT sequence FROM evercore_log WHERE aggregate_id = 2 ORDER BY event_time, sequence;

-- evercore_sequence(id, at_time) is the last sequence that had happened at a time
SELECT evercore_create('Plant', 'p');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES
  (4, 'Grew', '{"cm":1}', '2026-01-01T00:00:00Z'), (4, 'Grew', '{"cm":2}', '2026-01-02T00:00:00Z'), (4, 'Grew', '{"cm":3}', '2026-01-03T00:00:00Z'),
  (4, 'Grew', '{"cm":4}', '2026-01-04T00:00:00Z');
SELECT evercore_sequence(4, '2026-01-02T12:00:00Z');

-- … that very instant included, and not one microsecond earlier
SELECT evercore_sequence(4, '2026-01-03T00:00:00Z'), evercore_sequence(4, '2026-01-02T23:59:59.999999Z'), evercore_sequence(4, '2026-01-03T01:00:00+01:00');

-- … 0 before the first event, the version after the last
SELECT evercore_sequence(4, '2025-12-31T23:59:59Z'), evercore_sequence(4, '9999-12-31T23:59:59Z'), evercore_sequence(4, NULL);

-- … so that a state at a time is one call in another
SELECT evercore_state(4, evercore_sequence(4, '2026-01-02T12:00:00Z')) AS state;
SELECT evercore_state(4, evercore_sequence(4, '2020-01-01T00:00:00Z')) AS state;

-- … where times are not in order it is the last sequence, not the latest time
SELECT evercore_append(4, 4, 'Measured', '{"cm":5}', NULL, NULL, '2026-01-02T06:00:00Z');
SELECT evercore_sequence(4, '2026-01-02T12:00:00Z'), evercore_sequence(4, '2026-01-02T05:00:00Z');

-- compaction keeps what it can: a time at or after all that was removed is known still, one before is not
SELECT evercore_create('Plant', 'q');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES
  (5, 'Grew', '{"cm":1}', '2026-01-01T00:00:00Z'), (5, 'Grew', '{"cm":2}', '2026-01-02T00:00:00Z'), (5, 'Grew', '{"cm":3}', '2026-01-03T00:00:00Z'),
  (5, 'Grew', '{"cm":4}', '2026-01-04T00:00:00Z');
SELECT evercore_compact(5, 2);
SELECT evercore_sequence(5, '2026-01-03T12:00:00Z'), evercore_sequence(5, '2026-01-02T12:00:00Z'), evercore_sequence(5, '2026-01-02T00:00:00Z');
SELECT evercore_sequence(5, '2026-01-01T12:00:00Z');

-- evercore_time gives the form that times have, so that one text asks by time; NULL is NULL
INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES
  ('Asked', 'a', 'E', '{}', '2026-01-06T08:00:00Z'), ('Asked', 'a', 'E', '{}', '2026-01-06T08:00:00.5Z'), ('Asked', 'a', 'E', '{}', '2026-01-06T09:00:00Z');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Asked' AND event_time >= evercore_time('2026-01-06T08:00:00Z');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Asked' AND event_time < evercore_time('2026-01-06T09:00:00Z');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Asked' AND event_time = evercore_time('2026-01-06T10:00:00+01:00');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Asked' AND event_time >= evercore_time('2026-01-06 08:30:00');
SELECT count(*) FROM evercore_log WHERE aggregate_type = 'Asked' AND event_time >= evercore_time('2026-01-06') AND event_time < evercore_time('2026-01-07');
SELECT evercore_time(NULL), evercore_time(evercore_time('2026-01-06'));

-- all ways in read times alike
SELECT evercore_append_many('[{"aggregate_type":"Asked","natural_key":"a","events":[{"event_type":"E","data":{},"event_time":"2026-01-06t10:00:00.1234567+0100"}]}]') AS appends;
SELECT event_time FROM evercore_events(evercore_find('Asked', 'a'), 3);
SELECT evercore_sequence(evercore_find('Asked', 'a'), '2026-01-07'), evercore_sequence(evercore_find('Asked', 'a'), '2026-01-06T09:00+01');
SELECT evercore_subscribe('timed', '{"aggregate_type":"Asked"}', '2026-01-06 10:00+01'), evercore_subscribe('dated', '{"aggregate_type":"Asked"}', '2026-01-06t09:30+0100');

-- anything else is EV009: words
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, 'now');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, 'infinity');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, 'yesterday');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '');
SELECT evercore_sequence(1, 'epoch');

-- … parts, other separators, numbers
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026/03/01T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-3-1T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '20260301T102030Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '1772360430');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, ' 2026-03-01T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30Z and more');

-- … fractions that are empty or longer than nine digits
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30.Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30.1234567891Z');

-- … days, hours, minutes and seconds that there are not
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2025-02-29T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '1900-02-29T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-13-01T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-00-10T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-04-31T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T24:00:00Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:60:00Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:60Z');

-- … offsets cut short, or that no clock shows
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+2');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+020');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+02:0030');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+02:00:60');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+16:00');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30+02:60');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30 Europe/Berlin');

-- … years outside 1 to 9999, in UTC
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '0000-12-31T10:20:30Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '0000-12-31T23:30:00-01:00');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '10000-01-01T00:00:00Z');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '0001-01-01T00:00:00+01:00');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '9999-12-31T23:30:00-01:00');
SELECT evercore_append(1, NULL, 'Ticked', '{}', NULL, NULL, '2026-03-01T10:20:30Z BC');

-- … in every way in, and in evercore_time
SELECT evercore_time('8 o''clock');
SELECT evercore_time(1772360430);
SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"event_time":1772360430}]}]') AS appends;
SELECT evercore_subscribe('never', NULL, '2026-03-01T24:00:00Z');
SELECT evercore_reset('timed', '2026-02-30');
INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, 'E', '{}', '2026-03-01'), (1, 'E', '{}', 'soon');

-- none of these was written
SELECT evercore_sequence(1);

-- all is well with the store
SELECT * FROM evercore_check();
