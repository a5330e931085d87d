// Waiting for commits of any program to a SQLite file.
#ifndef EVERCORE_SRC_SQLITE_WATCH_H
#define EVERCORE_SRC_SQLITE_WATCH_H

#include "sqlite_session.h"

namespace evercore::detail {

// PRAGMA data_version differs after another connection's commit, whoever made it. Asking costs a
// look at shared memory, so it is asked every few milliseconds; appends of this process wake the
// waiting thread at once.
class SqliteWatch final : public Watch {
 public:
  SqliteWatch(const SqliteOptions& options, Signal& signal)
      : session_(options, nullptr),
        signal_(signal),
        seen_(signal.count()),
        version_(data_version()) {}
  void wait(std::chrono::milliseconds longest, const std::stop_token& stop) override;

 private:
  std::int64_t data_version();

  SqliteSession session_;  // which writes nothing: its own commits would not count
  Signal& signal_;
  std::uint64_t seen_;
  std::int64_t version_;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_SQLITE_WATCH_H
