// A store with one aggregate, for tests of what its events are about.
#pragma once

#include <string>

#include "support/database.h"

namespace evercore::test {

struct TaggedStore : Database {
  explicit TaggedStore(const std::string& path = ":memory:") : Database(path) {
    must("SELECT evercore_ensure('T', 'a')");
  }
  std::string problems() {
    return must("SELECT coalesce(position, '') || ' ' || problem FROM evercore_check()");
  }
  /// As a program that has the file and not the triggers.
  void spoil(const std::string& sql) {
    must("INSERT INTO _evercore_maintenance VALUES ('test');" + sql +
         ";DELETE FROM _evercore_maintenance");
  }
};

}  // namespace evercore::test
