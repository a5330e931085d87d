// What docs/hosts.md says of texts bound as UTF-16, of a restored image and of attached stores.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// Appends with data bound as UTF-16; gives the result code.
int append_utf16(Database& db, const std::u16string& data) {
  Query query(db.handle(), "SELECT evercore_append(evercore_ensure('T','a'), NULL, 'E', ?1)");
  sqlite3_bind_text16(query.handle(), 1, data.data(), static_cast<int>(data.size() * 2),
                      SQLITE_TRANSIENT);
  return query.step();
}

}  // namespace

TEST_CASE("texts bound as UTF-16 are what SQLite makes of them in UTF-8") {
  Database db;
  CHECK(append_utf16(db, u"{\"a\":\"\u00e9\U0001F600\"}") == SQLITE_ROW);
  CHECK(db.must("SELECT data FROM evercore_log") == "{\"a\":\"\u00e9\U0001F600\"}");
  std::u16string half = u"{\"a\":\"?b\"}";
  half[6] = 0xd800;
  CHECK(append_utf16(db, half) == SQLITE_ROW);
  CHECK(db.count("evercore_check()") == 0);
  CHECK(db.fails("SELECT evercore_append(1, NULL, 'E', '{\"a\":\"\\ud800\"}')")
            .find("EV004: data: lone surrogate") == 0);
}

TEST_CASE("an image deserialized before evercore is used goes on as the store it was") {
  Database first;
  first.must("SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{\"a\":1}')");
  Database second(first.image());
  CHECK(second.must("SELECT evercore_state(1)") == "{\"a\":1}");
  CHECK(second.must("SELECT evercore_append(1, 1, 'E', '{}')") == "2");
  CHECK(second.must("SELECT position FROM evercore_follow()") == "1\n2");
}

TEST_CASE(
    "under the name of an attached store the relation of main is written, and its view read") {
  const Directory directory;
  Database other(directory.file("other.db"));
  other.must("SELECT evercore_append(evercore_ensure('T','theirs'), 0, 'E', '{}')");
  Database db(directory.file("main.db"));
  db.must("ATTACH '" + directory.file("other.db") + "' AS other");
  db.must(
      "INSERT INTO other.evercore_append (aggregate_type, natural_key, event_type, data)"
      " VALUES ('T', 'ours', 'E', '{}')");
  CHECK(db.must("SELECT natural_key FROM main.evercore_log") == "ours");
  CHECK(db.must("SELECT natural_key FROM other.evercore_log") == "theirs");
  CHECK(db.must("SELECT natural_key FROM other.evercore_follow()") == "ours");
}
