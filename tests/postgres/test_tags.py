"""Tags: the index by tag agrees with the events, through every form of append and whatever becomes of events; and what they cost."""
import json

from harness import equal, new_database, refused
from pq import Connection
from test_plans import pages

INDEX = "SELECT tag, event_type, position FROM evercore_event_tag ORDER BY position, tag"
FORMS = ("SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"b\",\"a\"]')",
         "SELECT evercore_append(1, NULL, 'E', '{}'::jsonb, NULL, NULL, now(), NULL, '[\"b\",\"a\"]')",
         "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'e1', '[\"b\",\"a\"]')",
         "INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (1, 'E', '{}', '[\"b\",\"a\"]')",
         "INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (1, 'E', '{}', '[\"b\",\"a\"]'::json)",
         "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id, tags) VALUES (1, 'E', '{}', NULL, '[\"b\",\"a\"]'), (1, 'E', '{}', 'e2', NULL)",
         "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{},\"tags\":[\"b\",\"a\"]}]}]')",
         "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{},\"tags\":[\"b\",\"a\"]}]}]'::jsonb)",
         "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{},\"tags\":[\"b\",\"a\"],\"event_id\":\"e3\"}]}]')")


def problems(connection):
    return connection.rows("SELECT aggregate_id, position, problem FROM evercore_check()")


def test_every_form_of_append_writes_the_index():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'k')")
    for form in FORMS:
        before = int(connection.value("SELECT coalesce(max(position), 0) FROM evercore_log"))
        connection.rows(form)
        equal(connection.rows(INDEX.replace("ORDER", f"WHERE position > {before} ORDER")), [("a", "E", str(before + 1)), ("b", "E", str(before + 1))], form)
        equal(connection.value("SELECT tags FROM evercore_log WHERE position = $1", before + 1), '["b","a"]', form)
    for _ in range(20):  # every eighth position is written down besides
        connection.rows(FORMS[0])
    equal(problems(connection), [])


def test_a_tag_that_a_trigger_keeps_back_ends_the_append_in_every_form():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T', 'k')")
    fault = "EV010: a tag was not written: a trigger or rule of the store's tables kept it back"
    connection.rows("CREATE FUNCTION public.keep_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.tag = ''b'' THEN RETURN NULL; END IF; RETURN NEW; END';"
                    "CREATE TRIGGER keep_back BEFORE INSERT ON evercore_event_tag FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
    for form in FORMS:
        refused(lambda form=form: connection.rows(form), "EV010", fault)
    connection.rows("DROP TRIGGER keep_back ON evercore_event_tag; CREATE RULE nothing AS ON INSERT TO evercore_event_tag DO INSTEAD NOTHING")
    for form in FORMS:
        refused(lambda form=form: connection.rows(form), "EV010", fault)
    connection.rows("DROP RULE nothing ON evercore_event_tag")
    connection = Connection(database)  # a plan of a rule that does nothing names no table, and a session keeps it
    equal(connection.value("SELECT count(*) FROM evercore_event"), "0")
    for form in FORMS:
        connection.rows(form)
    equal(problems(connection), [])


def test_a_tag_that_a_trigger_keeps_under_its_old_name_ends_the_renaming():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_append(evercore_create('T', 'k'), 0, 'E', '{}', tags => '[\"a\"]')")
    connection.rows("CREATE FUNCTION public.keep_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                    "CREATE TRIGGER keep_back BEFORE UPDATE ON evercore_event_tag FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
    refused(lambda: connection.rows("SELECT evercore_rename_type('event', 'E', 'F')"), "EV010", "EV010: a tag was not written: ")
    equal(connection.value("SELECT event_type FROM evercore_log"), "E")
    connection.rows("DROP TRIGGER keep_back ON evercore_event_tag; SELECT evercore_rename_type('event', 'E', 'F')")
    equal(connection.rows(INDEX), [("a", "F", "1")])


def test_data_that_speaks_of_tags_has_none():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'k')")
    connection.rows("SELECT evercore_append_many($1)", json.dumps([{"aggregate_id": 1, "events": [{"event_type": "E", "data": {"tags": ["a"]}}] * 2}]))
    equal(connection.rows("SELECT data, tags FROM evercore_log"), [('{"tags": ["a"]}', None)] * 2)
    equal(connection.rows(INDEX), [])


def test_the_check_compares_events_and_index_both_ways():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'k')")
    for tags in ('["a","b"]', '["a"]', '[]', '["c"]'):
        connection.rows("SELECT evercore_append(1, NULL, 'E', '{}', tags => $1)", tags)
    for damage_done, wanted in (("DELETE FROM evercore_event_tag WHERE tag = 'b'", [("1", "1", "tags differ from their index")]),
                                ("INSERT INTO evercore_event_tag VALUES ('x', 'E', 2), ('y', 'E', 2)", [("1", "2", "tags differ from their index")]),
                                ("INSERT INTO evercore_event_tag VALUES ('x', 'E', 3)", [("1", "3", "tags differ from their index")]),
                                ("UPDATE evercore_event_tag SET event_type = 'F' WHERE position = 2", [("1", "2", "tags differ from their index")]),
                                ("INSERT INTO evercore_event_tag VALUES ('x', 'E', 9)", [(None, "9", "index of tags without event")]),
                                ("UPDATE evercore_event SET tags = '[\"c\", \"d\"]' WHERE position = 4", [("1", "4", "tags are damaged")]),
                                ("UPDATE evercore_event SET tags = '[\"c\",\"c\"]' WHERE position = 4", [("1", "4", "tags are damaged")]),
                                ("UPDATE evercore_event SET tags = '[]' WHERE position = 4", [("1", "4", "tags are damaged")]),
                                ("UPDATE evercore_event SET tags = '7' WHERE position = 4", [("1", "4", "tags are damaged")]),
                                ("UPDATE evercore_event SET tags = NULL WHERE position = 4", [("1", "4", "tags differ from their index")])):
        connection.rows(f"BEGIN; SELECT set_config('evercore.compacting', 'on', true); {damage_done}")
        equal(problems(connection), wanted, damage_done)
        connection.rows("ROLLBACK")
    equal(problems(connection), [])


def test_erasure_takes_the_index_along_and_reads_no_more_than_the_aggregate():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
                    " SELECT 'T', 'k' || i % 50, 'E', '{}', '[\"all\",\"of' || i % 50 || '\"]' FROM generate_series(1, 2000) i")
    connection.rows("BEGIN")
    read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'evercore_event_tag'"
    before = int(connection.value(read))
    equal(connection.value("SELECT evercore_erase(1)"), "40")
    equal(int(connection.value(read)) - before <= 80, True, "rows of the index read")
    connection.rows("COMMIT")
    equal(connection.rows("SELECT count(*), count(*) FILTER (WHERE tag = 'all') FROM evercore_event_tag"), [("3920", "1960")])
    equal(problems(connection), [])


def test_nobody_but_the_owner_writes_the_index():
    connection = Connection(new_database())
    connection.rows("SET ROLE evercore_writer")
    for sql in ("INSERT INTO evercore_event_tag VALUES ('a', 'E', 1)", "DELETE FROM evercore_event_tag", "SELECT * FROM evercore_event_tag"):
        refused(lambda sql=sql: connection.rows(sql), "42501")
    connection.rows("RESET ROLE; SET ROLE evercore_reader; SELECT * FROM evercore_event_tag")
    refused(lambda: connection.rows("DELETE FROM evercore_event_tag"), "42501")


def test_tags_go_down_and_up_with_the_schema():
    connection = Connection(new_database())
    equal(connection.value("SELECT evercore_migrate(3)"), "3")
    for sql in ("SELECT evercore_create('T')", "SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_head()", "SELECT * FROM evercore_check()",
                "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')", "SELECT evercore_append_many('[]')"):
        refused(lambda sql=sql: connection.rows(sql), "EV008", "EV008: the store is not migrated: SELECT evercore_migrate()")
    equal(connection.value("SELECT evercore_migrate()"), "4")
    connection.rows("SELECT evercore_append(evercore_create('T'), 0, 'E', '{}', tags => '[\"a\"]')")
    refused(lambda: connection.rows("SELECT evercore_migrate(3)"), "EV010", "EV010: the store holds events")
    equal(problems(connection), [])


def test_a_filter_by_tag_reads_what_it_gives():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
                    " SELECT 'T', 'k' || i % 50, 'E', '{}', '[\"all\",\"of' || i % 1000 || '\"]' FROM generate_series(1, 20000) i")
    connection.rows("ANALYZE")
    for filter, amount, most in (('{"tags":["of7"]}', 20, 150), ('{"tags":["all","of7"],"types":["E"]}', 20, 250), ('{"tags":["of7","of8"]}', 0, 200),
                                 ('{"tags":["of7"],"types":["F"]}', 0, 50), ('{"tags":["of7"],"aggregate_type":"T"}', 20, 200)):
        read = pages(connection, f"SELECT * FROM evercore_follow(0, NULL, '{filter}')")
        equal(read <= most, True, f"{filter}: {read} pages")
        connection.rows("SELECT evercore_subscribe('s', $1)", filter)
        token = connection.value("SELECT evercore_claim('s', 'w', 3600)")
        equal(len(connection.rows("SELECT * FROM evercore_fetch('s', $1, 1000)", token)), amount, filter)
        equal(connection.value("SELECT lag_events FROM evercore_subscriptions"), str(amount), filter)
        read = pages(connection, f"SELECT * FROM evercore_fetch('s', {token}, 1000)")
        equal(read <= most, True, f"{filter}: {read} pages")
        connection.rows("SELECT evercore_unsubscribe('s')")


def test_a_filter_by_tag_is_shared_by_partitions_and_heeded_by_erasure():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
                    " SELECT 'T' || i % 2, 'k' || i % 10, 'E' || i % 3, '{}', CASE WHEN i % 10 < 5 THEN '[\"a\",\"b' || i % 3 || '\"]' END FROM generate_series(1, 300) i")
    wanted = "SELECT position FROM evercore_log WHERE aggregate_type = 'T1' AND event_type IN ('E0', 'E1') AND tags::jsonb @> '[\"b1\"]' ORDER BY 1"
    connection.rows("""SELECT evercore_subscribe('s', '{"aggregate_type":"T1","types":["E0","E1"],"tags":["a","b1"]}', 'beginning', 3)""")
    tokens = [connection.value("SELECT evercore_claim('s', 'w', 3600)") for _ in range(3)]
    got = [row for token in tokens for row in connection.rows("SELECT position FROM evercore_fetch('s', $1, 1000)", token)]
    equal(sorted(got, key=lambda row: int(row[0])), connection.rows(wanted))
    equal(connection.rows("""SELECT position FROM evercore_follow(0, NULL, '{"aggregate_type":"T1","types":["E0","E1"],"tags":["a","b1"]}')"""), connection.rows(wanted))
    refused(lambda: connection.rows("SELECT evercore_erase(evercore_find('T1', 'k1'))"), "EV010", "EV010: aggregate ")
    connection.rows("SELECT evercore_erase(evercore_find('T1', 'k7')), evercore_erase(evercore_find('T0', 'k2'))")
    connection.rows("SELECT evercore_unsubscribe('s'), evercore_erase(evercore_find('T1', 'k1'))")
    equal(problems(connection), [])


def test_a_filter_by_tag_and_type_of_aggregates_reads_on_until_it_has_enough():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
                    " SELECT CASE WHEN i % 250 = 7 THEN 'Rare' ELSE 'T' END, 'k' || i % 50, 'E', '{}', '[\"all\"]' FROM generate_series(1, 20000) i")
    connection.rows("ANALYZE")
    rare = connection.rows("SELECT position FROM evercore_log WHERE aggregate_type = 'Rare' ORDER BY 1")
    equal(len(rare), 80)
    for limit in (1, 7, 79, 80, 81, None):
        equal(connection.rows("""SELECT position FROM evercore_follow(0, $1, '{"tags":["all"],"aggregate_type":"Rare"}')""", limit), rare[:limit], limit)
    equal(connection.rows("""SELECT * FROM evercore_follow(0, 10, '{"tags":["all"],"aggregate_type":"Unknown"}')"""), [])
    connection.rows("""SELECT evercore_subscribe('s', '{"tags":["all"],"aggregate_type":"T"}', 'beginning', 3)""")
    for _ in range(3):
        token, part = connection.value("SELECT evercore_claim('s', 'w', 3600)"), connection.value("SELECT max(partition) FROM evercore_subscriptions WHERE owner = 'w'")
        wanted = connection.rows("SELECT position FROM evercore_log WHERE aggregate_type = 'T' AND aggregate_id % 3 = $1 ORDER BY 1 LIMIT 150", part)
        equal(connection.rows("SELECT position FROM evercore_fetch('s', $1, 150)", token), wanted, part)
        read = pages(connection, f"SELECT * FROM evercore_fetch('s', {token}, 10)")
        equal(read <= 600, True, f"{read} pages read for ten events of 20000")
    read = pages(connection, """SELECT * FROM evercore_follow(0, 10, '{"tags":["all"],"aggregate_type":"T"}')""")
    equal(read <= 600, True, f"{read} pages read for ten events of 20000")
