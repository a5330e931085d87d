// One machine: a disk, a clock, a store, and the connections to it. A step is done on the engine and on
// the model, and what they say is compared.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulate/action.h"
#include "simulate/disk.h"

namespace evercore::simulate {

/// An action, and what befalls the machine meanwhile.
struct Step : Action {
  Trouble trouble = Trouble::none;
  Number trouble_at = 0;     ///< the I/O call of this step at which it happens
  std::uint64_t chance = 0;  ///< what survives a loss of power
};

/// What an episode is set up with, by its seed.
struct Settings {
  explicit Settings(std::uint64_t of);
  std::uint64_t seed;
  std::string journal_mode;
  std::string synchronous;
  std::size_t sessions;
  Number page_size, cache_pages, checkpoint_pages;
  int trouble_percent;  ///< of the steps

  /// Whether every acknowledged commit is there after a loss of power.
  [[nodiscard]] bool is_durable() const;
  [[nodiscard]] std::string pragmas() const;
};

/// What a transaction of a session sees and has done.
struct Transaction {
  Store view;
  Number start_head = 0;  ///< what follows sees nothing beyond it
  Number attempts = 0;    ///< of others to write, when it started
  Number generation = 0;  ///< of commits, likewise
  bool started = false;   ///< it has its snapshot
  bool may_hold_lock = false;
  bool changed = false;
  bool by_savepoint = false;
  std::vector<Store> savepoints = {};
};

class World {
 public:
  explicit World(const Settings& settings);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// A step that makes sense now.
  Step make(Random& random);
  /// Does it. What is wrong then, or nothing.
  std::optional<std::string> take(const Step& step);
  /// A number made of all that the engine has answered: the same seed gives the same one everywhere.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  /// Functions and relations of the surface that no call here names.
  std::vector<std::string> never_called();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Session {
    sqlite3* db = nullptr;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> looks = {};  ///< of dump(), kept
    std::optional<Transaction> transaction = {};
    Memory memory = {};
    Number attempts = 0;      ///< to write
    bool is_settled = false;  ///< it has the settings of the world
  };
  struct Reply {
    int code = SQLITE_OK;
    std::string message;
    Rows rows;
    [[nodiscard]] bool ok() const { return code == SQLITE_OK; }
  };
  using Complaint = std::optional<std::string>;

  void open(Session& session);
  void settle(Session& session);
  void close(Session& session);
  Reply run(sqlite3* db, const std::string& sql, const std::string& kinds = {});
  Reply rows_of(sqlite3* db, sqlite3_stmt* stmt, int rc, const std::string& kinds);

  Complaint call(const Step& step);
  Complaint compare(const Step& step, const Reply& reply, const Store& after, const Rows* rows,
                    const Refusal* refusal);
  Complaint turn(const Step& step);
  Complaint commit(const Step& step, const char* sql);
  Complaint maintain(const Step& step);
  Complaint restore();
  Complaint reopen(const Step& step);

  void start(Session& session);
  /// Ends the transaction, or goes back to so many savepoints: what was seen of what is gone is forgotten.
  static void roll_back(Session& session, std::size_t savepoints = 0);
  void adopt(Store after, bool changed);
  [[nodiscard]] Number attempts_of_others(const Session& session) const;
  [[nodiscard]] bool others_in_transaction(const Session& session) const;
  /// Whether others have tried to write since its snapshot (a new round of the write-ahead log alone can
  /// make it too old to be written on), and whether they have committed.
  [[nodiscard]] bool may_be_stale(const Session& session) const;
  [[nodiscard]] bool is_stale(const Session& session) const;
  /// Whether an engine's failure has a cause in the world; otherwise what to complain of.
  Complaint excuse(const Session& session, const Reply& reply);
  /// The store is one of these: finds which, and takes it for committed.
  Complaint resolve(std::vector<Store> candidates);
  /// The same after a call or commit that failed.
  Complaint resolve_failed(const Store& before, const Store& after);
  /// The same after an INSERT whose transaction was gone before it began.
  Complaint done_alone(const Step& step);
  Complaint after_death(const Step& step, std::vector<Store> candidates);
  Complaint look(Session& session, const Store& store);
  /// Whether a dump says no more than that another's transaction lets nobody in: in a rollback journal, where
  /// its cache is full or its commit waits. SQLite may say `no such table` then, as it cannot read the schema.
  [[nodiscard]] bool is_shut_out(const std::string& dump) const;
  Complaint check_health();
  std::string dump(const Store& store) const;
  std::string dump(Session& session);

  Settings settings_;
  Disk disk_;
  std::vector<Session> sessions_;
  Store committed_;
  Number generation_ = 0;  ///< of commits that changed something
  std::vector<Store>
      earlier_;  ///< committed before; what may come back where the store is not durable
  /// What commits that failed would have made: the frames of one may stand whole in the write-ahead log, and come
  /// back in a crash as long as nobody has written over them; another that failed may have left them.
  std::vector<Store> undead_;
  std::optional<Store> copy_;  ///< of the last backup
  bool happened_ = false;      ///< the step's trouble did
  Number steps_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

inline bool is_busy(int code) {
  return (code & 0xff) == SQLITE_BUSY;
}

/// A step as a shell takes it, with what a shell cannot do as a comment.
std::string spelled(const Step& step);

}  // namespace evercore::simulate
