#include "fuzz/store.h"

#include <algorithm>
#include <cstdio>

#include "../../ext/evercore.h"
#include "support/database.h"

using evercore::test::run;

namespace evercore::fuzz {

std::string image_of(sqlite3* db) {
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(db, "main", &size, 0);
  std::string image(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return image;
}

void open_image(sqlite3* db, const std::string& image) {
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(image.size() + 1));
  std::copy(image.begin(), image.end(), copy);
  sqlite3_deserialize(db, "main", copy, static_cast<sqlite3_int64>(image.size()),
                      static_cast<sqlite3_int64>(image.size()),
                      SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
}

const std::string& whole_store() {
  static const std::string image = [] {
    sqlite3* made = nullptr;
    sqlite3_open(":memory:", &made);
    sqlite3_evercore_init(made, nullptr, nullptr);
    for (const char* sql :
         {"PRAGMA page_size = 1024", "SELECT evercore_migrate()",
          "SELECT evercore_event_type('P','patch'), evercore_event_type('C','custom'), "
          "evercore_event_type('E', NULL, '{\"upcast\":[{\"move\":{\"/n\":\"/o/n\"}},"
          "{\"default\":{\"/d\":1}}],\"schema\":{\"required\":[\"d\"]}}')",
          "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, "
          "metadata, event_id) SELECT 'T' || (value % 2), 'k' || (value % 5), substr('EPC', value "
          "% "
          "3 + 1, 1), json_object('n', value, 'o', json_object('x', value)), 'r', '{\"m\":1}', "
          "'id-' || value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]')",
          "SELECT evercore_snapshot(1), evercore_snapshot(2), evercore_save_snapshot(3, 2, "
          "'{\"s\":1}', 7), evercore_snapshot_policy('T1', 2, 2)",
          "SELECT evercore_save_snapshot(1, 2, '{}', 1), evercore_compact(1, 1), "
          "evercore_erase(3)",
          "SELECT evercore_aggregate_type('S', "
          "'{\"schema\":{\"properties\":{\"n\":{\"maximum\":9}}}}'), "
          "evercore_event_type('G', NULL, '{\"tags\":{\"n\":\"/n\"}}'), evercore_index_types()",
          "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) "
          "VALUES "
          "('S', 'a', 'G', '{\"n\":1}', '[\"x\",\"y\"]'), ('S', 'b', 'G', '{\"n\":[2,3]}', NULL)",
          "SELECT evercore_subscribe('s', "
          "'{\"aggregate_type\":\"T1\",\"event_types\":[\"E\",\"P\"]}',"
          " 'kept beginning', 2), evercore_subscribe('k', "
          "'{\"aggregate_type\":\"T0\",\"natural_key\":"
          "\"k2\"}', 'end'), evercore_subscribe('all', NULL, 'end')",
          "SELECT evercore_claim('s','w',60), evercore_claim('k','w',60), "
          "evercore_claim('all','w',60)"}) {
      const auto outcome = run(made, sql);
      if (!outcome.ok()) std::fprintf(stderr, "%s\n  in %s\n", outcome.message.c_str(), sql);
    }
    const std::string bytes = image_of(made);
    sqlite3_close(made);
    return bytes;
  }();
  return image;
}

const std::vector<std::string>& hostile_values() {
  static const std::vector<std::string> all = {"NULL",
                                               "0",
                                               "1",
                                               "-1",
                                               "2",
                                               "3",
                                               "7",
                                               "1024",
                                               "1025",
                                               "4611686018427387904",
                                               "9223372036854775807",
                                               "-9223372036854775808",
                                               "9223372036854775806",
                                               "1000000000000",
                                               "0.5",
                                               "1e300",
                                               "''",
                                               "'x'",
                                               "','",
                                               "',1'",
                                               "',1,'",
                                               "',-1,x,'",
                                               "'{}'",
                                               "'{'",
                                               "'[1'",
                                               "'{\"a\":1,\"a\":2}'",
                                               "'{\"a\":\"\\u0000\"}'",
                                               "'{\"aggregate_type\":\"T1\"}'",
                                               "'null'",
                                               "'[{\"remove\":[\"/n\"]}]'",
                                               "x'00'",
                                               "x'ff'",
                                               "CAST(x'ff00' AS TEXT)",
                                               "zeroblob(100)",
                                               "'k1'",
                                               "'T1'",
                                               "'E'",
                                               "'id-1'",
                                               "printf('%.*c', 300, 'x')",
                                               "hex(zeroblob(5000))",
                                               "printf('%.*c', 3000, '[')",
                                               "char(0xd800)",
                                               "(SELECT max(position) FROM evercore_event)"};
  return all;
}

const std::vector<std::string>& calls() {
  static const std::vector<std::string> all = {
      "SELECT * FROM evercore_check()",
      "SELECT evercore_state(1), evercore_state(2, 1)",
      "SELECT evercore_state(3)",
      "SELECT evercore_sequence(1), evercore_sequence(2, '2026-01-01T00:00:00Z')",
      "SELECT evercore_find('T1','k1'), evercore_find('T0','k2')",
      "SELECT * FROM evercore_history(1)",
      "SELECT * FROM evercore_history(2)",
      "SELECT * FROM evercore_follow()",
      "SELECT * FROM evercore_follow(3, 5)",
      "SELECT * FROM evercore_events(1)",
      "SELECT * FROM evercore_events(2, 1, 3)",
      "SELECT * FROM evercore_replay(1)",
      "SELECT * FROM evercore_replay(3, 7)",
      "SELECT * FROM evercore_fetch('s', 1)",
      "SELECT * FROM evercore_fetch('k', 1)",
      "SELECT * FROM evercore_fetch('all', 1, 3)",
      "SELECT * FROM evercore_stats()",
      "SELECT * FROM evercore_log",
      "SELECT * FROM evercore_aggregates",
      "SELECT * FROM evercore_subscriptions",
      "SELECT * FROM evercore_query('[{\"types\":[\"G\"],\"tags\":[\"x\"]},{\"types\":[\"E\"]}]')",
      "SELECT * FROM evercore_query('[{\"tags\":[\"n:2\"]}]', 1, 5)",
      "SELECT * FROM evercore_event_types",
      "SELECT * FROM evercore_aggregate_types",
      "SELECT evercore_append(1, NULL, 'E', '{\"n\":1}')",
      "SELECT evercore_append(11, NULL, 'G', '{\"n\":4}', NULL, NULL, NULL, NULL, '[\"x\"]')",
      "SELECT evercore_append_many('[{\"aggregate_id\":12,\"events\":[{\"event_type\":\"G\","
      "\"data\":{\"n\":99}}]}]', '[{\"types\":[\"E\"]}]', 99)",
      "SELECT evercore_append(2, NULL, 'New', '{}', 'r', '{}', NULL, 'id-1')",
      "SELECT evercore_append(3, NULL, 'E', '{}', 'r', '{}', '2026-01-01T00:00:00Z', 'id-new')",
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T1','k1','E','{}'),('T1','new','P','{\"o\":{\"y\":1}}')",
      "INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type, data, "
      "event_id) "
      "VALUES ('T1','k1','E','{}','id-3'),('T1','k3','E','{}','fresh')",
      "SELECT "
      "evercore_append_many('[{\"aggregate_id\":2,\"events\":[{\"event_type\":\"E\",\"data\":{}},"
      "{\"event_type\":\"P\",\"data\":{\"o\":{\"x\":null}}}]}]')",
      "SELECT evercore_create('T1','made')",
      "SELECT evercore_ensure('T1','k1'), evercore_ensure('T','z')",
      "SELECT evercore_rekey(2,'z')",
      "SELECT evercore_snapshot(1)",
      "SELECT evercore_snapshot(4)",
      "SELECT evercore_save_snapshot(2, 1, '{}', 1)",
      "SELECT evercore_snapshot_policy('T0', 1, 1)",
      "SELECT evercore_event_type('E', 'patch')",
      "SELECT evercore_upcast('E', '{\"n\":1}'), evercore_validate('E', '{\"n\":1}')",
      "SELECT evercore_event_type('E', NULL, '{\"upcast\":null}')",
      "SELECT evercore_event_type('G', '[{\"add\":{\"/n\":\"/n\"}}]', '{\"tags\":{\"m\":\"/n\"}}')",
      "SELECT evercore_aggregate_type('S', '{\"schema\":{\"required\":[\"z\"]}}')",
      "SELECT evercore_fill(3), evercore_index_types(0), evercore_index_types(1)",
      "SELECT evercore_rename_type('event_type', 'P', 'Q'), evercore_rename_type('aggregate_type', "
      "'T0', 'U')",
      "SELECT evercore_restored()",
      "SELECT evercore_ack('s', 1, 5)",
      "SELECT evercore_ack('all', 1, NULL)",
      "SELECT evercore_renew('s', 1, 60)",
      "SELECT evercore_release('k', 1, 'e')",
      "SELECT evercore_claim('s', 'w2', 60)",
      "SELECT evercore_pause('s')",
      "SELECT evercore_resume('s')",
      "SELECT evercore_subscribe('s', '{\"event_types\":[\"C\"]}')",
      "SELECT evercore_subscribe('n', NULL, "
      "'2026-01-01T00:00:00Z', 3)",
      "SELECT evercore_reset('s', 'beginning')",
      "SELECT evercore_unsubscribe('k')",
      "SELECT evercore_unsubscribe('s')",
      "SELECT evercore_unsubscribe('all')",
      "SELECT evercore_compact(2, 1)",
      "SELECT evercore_compact_type('T1', 0, 2)",
      "SELECT evercore_erase(4)",
      "SELECT * FROM evercore_check()",
      "SELECT evercore_migrate()",
      "SELECT evercore_migrate(1)",
      "SELECT evercore_migrate(0)",
      "SELECT evercore_migrate()",
      "SELECT * FROM evercore_check()"};
  return all;
}

}  // namespace evercore::fuzz
