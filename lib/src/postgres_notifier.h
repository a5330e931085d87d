// How programs on PostgreSQL tell each other of appends: LISTEN and NOTIFY.
//
// NOTIFY inside an append's transaction would put all commits of the server in line behind one lock.
// Here the append has long returned when a thread of its own sends one NOTIFY for all appends of the
// last milliseconds, on a connection of its own, in a transaction that writes nothing.
#ifndef EVERCORE_SRC_POSTGRES_NOTIFIER_H
#define EVERCORE_SRC_POSTGRES_NOTIFIER_H

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "postgres_session.h"

namespace evercore::detail {

class PostgresNotifier {
 public:
  // Raises `signal` when other programs appended to the store, once somebody listens.
  PostgresNotifier(const PostgresOptions& options, Signal& signal);
  ~PostgresNotifier();
  PostgresNotifier(const PostgresNotifier&) = delete;
  PostgresNotifier& operator=(const PostgresNotifier&) = delete;

  // Tells the others, soon.
  void appended() noexcept;
  // Begins to listen.
  void listen() noexcept;

 private:
  void work();
  void serve();
  void send();
  void say_last_word() noexcept;
  void wake() noexcept;
  int wait_milliseconds() const;

  const PostgresOptions options_;
  Signal& signal_;
  const std::string channel_;
  int pipe_[2] = {-1, -1};
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> pending_ = false;
  std::atomic<bool> wants_to_listen_ = false;
  // Of the thread alone:
  std::unique_ptr<PostgresSession> session_;
  bool listens_ = false;
  std::chrono::steady_clock::time_point next_send_{};
  std::chrono::steady_clock::time_point next_connect_{};
  std::thread thread_;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_POSTGRES_NOTIFIER_H
