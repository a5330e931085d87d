// evercore beside a table by hand in SQLite, both from C with prepared statements, in WAL mode with synchronous=FULL.
//   build/bench/hand_sqlite
//   build/bench/hand_sqlite --memory evercore|hand     what a process of its own takes, in megabytes
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "hand.h"
#include "memory.h"
#include "sqlite_store.h"

namespace {

using bench::Event;
using bench::Keeper;
using bench::Stmt;
using bench::Store;

void bind_text(const Stmt& stmt, int at, const std::string& text) {
  sqlite3_bind_text(stmt.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

class InSqlite : public Keeper {
 public:
  InSqlite(std::string name, const Store& store) : Keeper(std::move(name)), store_(store) {
    store_.run("PRAGMA synchronous = FULL");
  }
  using Keeper::append;

  std::int64_t read(const std::string& stream) override {
    bind_text(read_, 1, stream);
    return bench::read_all(read_.get());
  }
  void checkpoint() override {
    store_.run("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE);");
  }
  double written() override {
    return static_cast<double>(std::filesystem::file_size(store_.path() + "-wal"));
  }

 protected:
  const Store& store_;
  Stmt append_, read_;
};

class ByHand : public InSqlite {
 public:
  explicit ByHand(const Store& store) : InSqlite("by hand", store) {
    store.run(
        "CREATE TABLE event (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL,"
        " version INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, data TEXT NOT"
        " NULL, time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), UNIQUE"
        " (stream, version))");
    append_ = store.prepare(
        "INSERT INTO event (stream, version, id, type, data) VALUES (?1, ?2, ?3, ?4, ?5)");
    read_ = store.prepare(
        "SELECT version, id, type, data, time FROM event WHERE stream = ?1 ORDER BY version");
  }
  void append(const std::string& stream, const std::vector<Event>& events,
              std::int64_t version) override {
    if (events.size() > 1) store_.run("BEGIN IMMEDIATE");
    for (const Event& event : events) {
      bind_text(append_, 1, stream);
      sqlite3_bind_int64(append_.get(), 2, ++version);
      bind_text(append_, 3, event.id);
      bind_text(append_, 4, event.type);
      bind_text(append_, 5, event.data);
      bench::step_once(append_.get());
    }
    if (events.size() > 1) store_.run("COMMIT");
  }
  std::int64_t state(const std::string& stream) override {
    bench::Fold fold;
    bind_text(read_, 1, stream);
    while (sqlite3_step(read_.get()) == SQLITE_ROW) {
      fold.add({reinterpret_cast<const char*>(sqlite3_column_text(read_.get(), 3)),
                static_cast<std::size_t>(sqlite3_column_bytes(read_.get(), 3))});
    }
    sqlite3_reset(read_.get());
    return fold.members();
  }
};

class Evercore : public InSqlite {
 public:
  explicit Evercore(const Store& store) : InSqlite("evercore", store) {
    append_ = store.prepare(
        "INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data,"
        " event_id) VALUES ('User', ?1, ?2, ?4, ?5, ?3)");
    append_many_ = store.prepare("SELECT evercore_append_many(?1)");
    read_ = store.prepare(
        "SELECT sequence, event_id, event_type, data, event_time FROM"
        " evercore_events(evercore_find('User', ?1))");
    state_ = store.prepare("SELECT evercore_state(evercore_find('User', ?1))");
  }
  void append(const std::string& stream, const std::vector<Event>& events,
              std::int64_t version) override {
    if (events.size() > 1) return append_many(stream, events, version);
    bind_text(append_, 1, stream);
    sqlite3_bind_int64(append_.get(), 2, version);
    bind_text(append_, 3, events[0].id);
    bind_text(append_, 4, events[0].type);
    bind_text(append_, 5, events[0].data);
    bench::step_once(append_.get());
  }
  std::int64_t state(const std::string& stream) override {
    bench::Fold members;
    bind_text(state_, 1, stream);
    if (sqlite3_step(state_.get()) == SQLITE_ROW) {
      members.add(reinterpret_cast<const char*>(sqlite3_column_text(state_.get(), 0)));
    }
    sqlite3_reset(state_.get());
    return members.members();
  }

 private:
  void append_many(const std::string& stream, const std::vector<Event>& events,
                   std::int64_t version) {
    const std::string call = bench::append_many_call(stream, events, version);
    bind_text(append_many_, 1, call);
    bench::step_once(append_many_.get());
  }
  Stmt append_many_, state_;
};

/// The other use of this program: uses a store once, and prints how much memory was resident at most.
int show_memory(const std::string& kind) {
  if (kind == "evercore") {
    const Store store("memory");
    Evercore keeper(store);
    bench::use_once(keeper);
  } else {
    const Store store = Store::by_hand("memory");
    ByHand keeper(store);
    bench::use_once(keeper);
  }
  std::printf("%.2f\n", bench::megabytes("self", "VmHWM"));
  return 0;
}

void ask_memory(bench::Report& report, const std::string& program) {
  for (const char* name : {"by hand", "evercore"}) {
    const std::string kind = name[0] == 'b' ? "hand" : "evercore";
    const double most = bench::told_by(program + " --memory " + kind);
    report.add({std::string("memory high-water of a process, ") + name, most, "MB"});
  }
}

int measure(const std::string& program) {
  bench::Report report("hand_sqlite");
  const Store hand = Store::by_hand("hand");
  const Store ours("evercore");
  ByHand by_hand(hand);
  Evercore evercore(ours);
  bench::ask_speed(report, {by_hand, evercore});
  bench::ask_waits(report, {by_hand, evercore});
  bench::ask_log(report, {by_hand, evercore});
  ask_memory(report, program);
  return report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::strcmp(argv[1], "--memory") == 0) return show_memory(argv[2]);
    if (argc == 1) return measure(argv[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hand_sqlite: %s\n", error.what());
    return 1;
  }
  std::printf("usage: hand_sqlite\n");
  return 2;
}
