// What the library's tests share: a fresh store on the engine under test. The suite runs the
// program once an engine; EVERCORE_LIBRARY_ENGINE says which: file, memory or postgres (whose
// server is in EVERCORE_TEST_POSTGRES).
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "database.h"
#include "evercore/evercore.h"

namespace harness {

inline std::string engine() {
  const char* engine = std::getenv("EVERCORE_LIBRARY_ENGINE");
  return engine != nullptr ? engine : "file";
}
inline bool on_postgres() {
  return engine() == "postgres";
}
inline bool on_memory() {
  return engine() == "memory";
}
inline bool on_file() {
  return engine() == "file";
}

// Whether a place on PostgreSQL holds a migrated store; elsewhere connecting makes one, which is quick.
enum class Holds { store, nothing };

// The place of a store that nobody used before; it is removed at the end.
class Place {
 public:
  explicit Place(Holds holds = Holds::store) {
    if (on_postgres()) {
      database_.emplace(std::getenv("EVERCORE_TEST_POSTGRES"), holds == Holds::store);
      uri_ = database_->uri();
      uri_ += (uri_.find('?') == uri_.npos ? "?pool_size=16" : "&pool_size=16");
    } else if (on_memory()) {
      uri_ = "memory:?busy_timeout=30000";
    } else {
      static std::atomic<int> count{0};
      directory_ = std::filesystem::temp_directory_path() /
                   ("evercore_t" + std::to_string(getpid()) + "_" + std::to_string(++count));
      std::filesystem::create_directories(directory_);
      uri_ = "sqlite://" + (directory_ / "store.db").string() +
             "?synchronous=normal&busy_timeout=30000&pool_size=16";
    }
  }
  ~Place() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  const std::string& uri() const { return uri_; }
  // A relation of the store, as SQL of the program's own has to name it.
  std::string relation(const std::string& name) const {
    return on_postgres() ? "evercore." + name : name;
  }
  std::string database() const { return database_->uri(); }  // of PostgreSQL alone
  std::string file() const { return (directory_ / "store.db").string(); }

 private:
  std::string uri_;
  std::optional<Database> database_;
  std::filesystem::path directory_;
};

// A store in a place of its own.
struct Fresh {
  Place place;
  evercore::EventStore store = evercore::connect(place.uri());
  evercore::EventStore* operator->() { return &store; }
};

// The same store as another program would see it, which knows nothing of this one's structs. It must
// not outlive the store.
inline evercore::EventStore another_program(evercore::EventStore& store) {
  return evercore::EventStore(std::shared_ptr<evercore::StorageEngine>(
      std::shared_ptr<evercore::StorageEngine>(), &store.engine()));
}

// The error that a call ends in, as text; "none" when it does not.
template <class E = evercore::error, class F>
std::string fault_of(F&& call) {
  try {
    call();
  } catch (const E& fault) {
    return fault.what();
  }
  return "none";
}

}  // namespace harness
