// SQLite as a storage engine: a pool of connections to read with, and one connection through which
// short writes of all threads go, several in one commit.
#ifndef EVERCORE_SRC_SQLITE_ENGINE_H
#define EVERCORE_SRC_SQLITE_ENGINE_H

#include <deque>

#include "pool.h"
#include "sqlite_session.h"

namespace evercore::detail {

// Takes writes from many threads and commits those that came while the last commit was under way
// together: one fsync for all of them. Each write is a savepoint of its own and gets its own error.
class GroupCommit {
 public:
  GroupCommit(const SqliteOptions& options, WriterGate& gate)
      : session_(options, nullptr), gate_(gate) {
    if (!options.fair) return;
    if (const std::string file = session_.writable_file(); !file.empty()) gate.queue_up(file);
  }
  // `session` may be empty; it is given back before the write has to wait.
  void write(SessionHandle session, std::span<const Command> commands);

 private:
  struct Request {
    std::span<const Command> commands;
    std::exception_ptr fault;
    bool done = false;
    std::condition_variable woken;
  };

  void write_on(SqliteSession& session, std::span<const Command> commands);
  void hand_over(std::unique_lock<std::mutex>& lock) noexcept;
  void lead(std::deque<Request*>& batch) noexcept;
  void write_alone(Request& request) noexcept;
  bool write_together(std::deque<Request*>& batch) noexcept;
  void write_savepoint(Request& request);

  SqliteSession session_;
  WriterGate& gate_;
  std::mutex mutex_;
  std::deque<Request*> queue_;
  bool led_ = false;
};

class SqliteEngine final : public StorageEngine {
 public:
  explicit SqliteEngine(const SqliteOptions& options);
  std::string_view name() const noexcept override { return "sqlite"; }
  SessionHandle session() override;
  void write(SessionHandle session, std::span<const Command> commands) override;
  std::unique_ptr<Watch> watch() override;

 protected:
  void give_back(Session* session) noexcept override;

 private:
  SqliteOptions options_;
  WriterGate gate_;
  Pool<SqliteSession> pool_;
  std::unique_ptr<GroupCommit> group_;  // none in memory, where there is one connection
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_SQLITE_ENGINE_H
