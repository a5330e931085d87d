// The filter of a subscription: what the extension tests by ext/passes.h, and what the view says.
#define SQLITE_CORE 1  // this program links the extension
#include "passes.h"

#include <doctest/doctest.h>

#include <regex>
#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// Without the schema, and without white space but between words.
std::string plain(std::string sql) {
  sql = std::regex_replace(sql, std::regex("main\\."), "");
  sql = std::regex_replace(sql, std::regex("\\s+"), " ");
  return std::regex_replace(sql, std::regex("\\( "), "(");
}

}  // namespace

TEST_CASE("the view of what is unread passes what compaction and a fetch pass") {
  Database db;
  const std::string view =
      plain(db.must("SELECT sql FROM sqlite_schema WHERE name = '_evercore_unread'"));
  const std::string types = plain(EVERCORE_PASSES_TYPES("s", "e"));
  const std::string aggregate = plain(EVERCORE_PASSES_AGGREGATE("s", "e.aggregate_id"));
  const std::string tags = plain(EVERCORE_PASSES_TAGS("s.tags"));
  CAPTURE(view);
  CHECK(view.ends_with(
      " WHERE e.aggregate_id % s.partitions = p.partition AND e.aggregate_id <> 0 AND " + types +
      " AND " + aggregate + " AND " + tags));
}
