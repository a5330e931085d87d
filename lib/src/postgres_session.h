// One connection to a PostgreSQL store.
#ifndef EVERCORE_SRC_POSTGRES_SESSION_H
#define EVERCORE_SRC_POSTGRES_SESSION_H

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "evercore/engine.h"
#include "uri.h"

namespace evercore::detail {

struct ResultClear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultClear>;

// A short name made of a text: equal for equal texts.
std::string fingerprint(std::string_view text);

// A name as SQL spells it, whatever letters it holds.
std::string quote_identifier(std::string_view name);

class PostgresSession final : public Session {
 public:
  // Connects. Throws connection_error, or argument_error for a URI that libpq cannot read.
  explicit PostgresSession(const PostgresOptions& options);
  ~PostgresSession() override;
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  void begin_read() override { begin(State::reading); }
  void begin_write() override { begin(State::writing); }
  using Session::run;
  void run(std::span<const Command> commands) override;
  void commit(std::span<const Command> commands) override;
  // Only notes that the transaction is over: the next call takes the ROLLBACK along. finish() sends
  // it.
  void rollback() noexcept override;
  std::optional<Command> hold_declarations(std::optional<std::string_view> type) const override;

  // One atomic write outside a transaction.
  void write(std::span<const Command> commands);
  // Ends what rollback() put off. False when the connection is of no more use.
  bool finish() noexcept;
  // Whether the server is still there, as far as the socket tells. Sends nothing.
  bool alive() noexcept;
  // Runs a script of several statements, by the simple protocol.
  void execute_script(const std::string& script);

  // Whether a proxy stands between, that may give each transaction another server process.
  bool is_pooled() const noexcept { return pooled_; }
  // For LISTEN: what to poll, and whether other connections have notified this one. Throws
  // connection_error when the server is lost.
  int socket() const noexcept { return PQsocket(connection_); }
  bool take_notifications();

 private:
  enum class State { idle, reading, writing };
  struct Text {
    std::string sql;
    std::string name;
    bool prepared = false;
  };

  void begin(State state);
  bool look_around();
  // Sends all commands at once and waits for all answers. Rows go to the sinks when all went well.
  void exchange(const std::vector<const Command*>& commands);
  void send_all(const std::vector<const Command*>& commands, const std::vector<Text*>& fresh,
                bool pipelined);
  void take_back(const std::vector<Text*>& fresh);
  ResultHandle receive(ResultHandle& fault);
  void send(const Command& command);
  void send_prepare(const Command& command);
  const std::string& text_of(const Statement& statement);
  [[noreturn]] void fail(const PGresult* result);
  [[noreturn]] void fail_lost();

  PGconn* connection_ = nullptr;
  std::string prefix_;  // "schema".
  std::string password_;
  bool use_prepared_ = true;
  bool pooled_ = false;
  State state_ = State::idle;
  bool begun_ = false;       // the server has begun the transaction
  bool owes_end_ = false;    // a transaction of ours still stands open in the server
  bool committing_ = false;  // a loss now leaves it open whether the write is kept
  std::string foreign_;      // the program's own statement that is being sent
  std::unordered_map<std::string_view, Text> texts_;  // by the text of the surface
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_POSTGRES_SESSION_H
