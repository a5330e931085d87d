// A connection to the simulated server. Calls are sent without waiting, since one that meets another's lock
// would wait for ever: whether it does is read from the server's own table of locks, never from a clock.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>

#include "simulate/call.h"

namespace evercore::simulate::postgres {

struct Reply {
  std::string code;  ///< SQLSTATE; empty: it went well
  std::string message = {};
  Rows rows = {};
  [[nodiscard]] bool ok() const { return code.empty(); }
};

/// Two texts that must be the same: the first lines that differ.
std::string difference(const std::string& expected, const std::string& answered);

/// Rows of a call without the seconds since an event: PostgreSQL's clock is read once a statement, the model's once a step.
Rows comparable(const Call& call, Rows rows);

class Session {
 public:
  /// Throws std::runtime_error where the server does not answer.
  explicit Session(const std::string& uri);

  /// Sends a text of one or more statements; `kinds` says which columns of the answer are JSON.
  void send(const std::string& sql, const std::string& kinds = {});
  /// The answer to what was sent, or nothing while it waits for another's lock, as `witness` sees it.
  std::optional<Reply> answer(Session& witness);
  /// Sends, and waits for the answer however long that takes.
  Reply run(const std::string& sql, const std::string& kinds = {});
  void cancel();
  [[nodiscard]] int pid() const { return PQbackendPID(connection_.get()); }
  [[nodiscard]] bool in_transaction() const;

 private:
  struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  Reply take();

  std::unique_ptr<PGconn, Close> connection_;
  std::string kinds_;
};

}  // namespace evercore::simulate::postgres
