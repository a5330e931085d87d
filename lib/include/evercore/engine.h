// The interface between the store and an engine's driver. Programs have no need of it, but for
// Parameter, Row and RowSink, which Context::execute() takes; it is public so that tests can put a
// driver of their own below a store. A driver knows nothing of events: it runs statements of the
// SQL surface, the same text on both engines, and takes care of connections, transactions and what
// is lost when they break.
//
// A driver throws the errors of error.h, each by the code that the engine gave: EVnnn as the
// surface says, busy_error, serialization_error and connection_error where those are what happened,
// and engine_error for everything else.
//
// A driver that stands before another and counts what goes through:
//
//   class Counting final : public evercore::StorageEngine {
//    public:
//     explicit Counting(evercore::EventStore below) : below_(std::move(below)) {}
//     std::string_view name() const noexcept override { return below_.engine().name(); }
//     evercore::SessionHandle session() override { return below_.engine().session(); }
//     void write(evercore::SessionHandle session,
//                std::span<const evercore::Command> commands) override {
//       ++writes;
//       below_.engine().write(std::move(session), commands);
//     }
//     std::atomic<int> writes = 0;
//
//    protected:
//     void give_back(evercore::Session*) noexcept override {}  // they go back to the engine below
//
//    private:
//     evercore::EventStore below_;
//   };
//
//   evercore::EventStore store(std::make_shared<Counting>(evercore::connect("memory:")));
#ifndef EVERCORE_ENGINE_H
#define EVERCORE_ENGINE_H

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"
#include "evercore/time.h"
#include "evercore/watch.h"

namespace evercore {

// The most parameters that a statement can have.
inline constexpr std::size_t max_parameters = 9;

// One SQL text of the surface, a static object: drivers keep it prepared, and know it again by its
// text or by the text's address. "{}" stands where PostgreSQL needs the store's schema; parameters
// are $1, $2, … in the order of their first appearance. `types` has one letter a parameter: i for
// an integer, t for text. It is made when it is compiled, and does not compile when the parameters
// in the text, their letters and max_parameters do not agree.
//
//   constexpr evercore::Statement find{"SELECT {}evercore_find($1, $2)", "tt"};
class Statement {
 public:
  consteval Statement(const char* text, const char* letters)  // NOLINT: implicit is the point
      : sql(text), types(letters), parameters(count(text)) {
    const std::string_view given(letters);
    if (given.find_first_not_of("it") != given.npos) {
      throw "evercore: a parameter's type is neither i, an integer, nor t, a text";
    }
    if (given.size() != parameters) {
      throw "evercore: the statement has another number of parameters than of types for them";
    }
  }
  // A text of the program's own: sent as it is, not kept prepared, with the number and the types of
  // its parameters left to the engine. The text and the Statement must live until the command has
  // run.
  static Statement foreign_text(const char* text) noexcept { return Statement(text); }

  const char* sql;
  const char* types;       // empty for a foreign text
  std::size_t parameters;  // how many; 0 for a foreign text, which may have some all the same
  bool foreign = false;    // whether it is a text of the program's own

 private:
  explicit Statement(const char* text) noexcept
      : sql(text), types(""), parameters(0), foreign(true) {}

  // How many parameters a text has. Does not compile for a gap, a wrong order, or too many.
  static consteval std::size_t count(std::string_view text) {
    std::size_t highest = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '$') continue;
      std::size_t number = 0;
      for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
        number = number * 10 + static_cast<std::size_t>(text[i] - '0');
      }
      if (number == 0 || number > highest + 1) {
        throw "evercore: a statement's parameters are $1, $2, ... in the order of their first appearance";
      }
      if (number > max_parameters) throw "evercore: the statement has more than max_parameters";
      if (number > highest) highest = number;
    }
    return highest;
  }
};

// A parameter of a command: NULL, an integer of 64 bits, or a text in UTF-8. Any of these turns
// into one by itself, as in ctx.execute(sql, {id, "ann", nullptr}). A text is not copied and must
// live until the command has run; one of length 0 is an empty text, not NULL, and one with a NUL in
// it is a payload_error on PostgreSQL. A bool is 0 or 1, and an unsigned integer above int64 turns
// negative. A number with a fraction goes as a text, to be cast in the statement.
class Parameter {
 public:
  enum class Kind : unsigned char { null, integer, text };
  // NULL.
  Parameter() = default;
  Parameter(std::nullptr_t) {}                                              // NOLINT
  Parameter(std::int64_t value) : kind_(Kind::integer), integer_(value) {}  // NOLINT
  Parameter(std::string_view value) : kind_(Kind::text), text_(value) {}    // NOLINT
  Parameter(const char* value) : Parameter(std::string_view(value)) {}      // NOLINT
  Parameter(const std::string& value)                                       // NOLINT
      : Parameter(std::string_view(value)) {}
  template <std::integral I>
  requires(!std::same_as<I, std::int64_t>) Parameter(I value)  // NOLINT
      : Parameter(static_cast<std::int64_t>(value)) {}

  Kind kind() const noexcept { return kind_; }
  std::int64_t integer() const noexcept { return integer_; }  // 0 where it is none
  std::string_view text() const noexcept { return text_; }    // empty where it is none

 private:
  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;
  std::string_view text_;
};

// The current row of a result, which an engine's driver implements. It lives, with the texts that
// it gives, until the sink that was given it returns. Columns count from 0 and must be there:
// nobody checks the number. Each of these reads a column as what it was selected as; whoever may
// meet a NULL asks is_null() first.
class Row {
 public:
  virtual bool is_null(int column) const = 0;
  // An integer: bigint, or a shorter one, in PostgreSQL.
  virtual std::int64_t integer(int column) const = 0;
  // A text, or JSON as text. In PostgreSQL other types come in the server's binary form: cast them.
  virtual std::string_view text(int column) const = 0;
  // A time of the surface: timestamptz in PostgreSQL, in SQLite a text that parse_time() reads.
  // Throws engine_error for one that cannot be read.
  virtual Time time(int column) const = 0;

 protected:
  ~Row() = default;
};

// A reference to a function object that takes rows, void(const Row&). It does not own the function,
// which must have a name and outlive the command that the sink is given to:
//
//   std::int64_t cents = 0;
//   auto sink = [&](const evercore::Row& row) { cents = row.integer(0); };
//   ctx.execute("SELECT cents FROM balance WHERE account = $1", {id}, sink);
class RowSink {
 public:
  // Rows are dropped.
  RowSink() = default;
  template <class F>
  requires(!std::is_same_v<F, RowSink>) RowSink(F& function)  // NOLINT
      : object_(&function),
        call_([](void* object, const Row& row) { (*static_cast<F*>(object))(row); }) {}
  // What the function throws goes through.
  void operator()(const Row& row) const {
    if (call_ != nullptr) call_(object_, row);
  }

 private:
  void* object_ = nullptr;
  void (*call_)(void*, const Row&) = nullptr;
};

// A statement, its parameters, and where its rows go. The statement, the texts of the parameters
// and the sink's object are not copied: they must live until the command has run. A sink is called
// once a row, in their order, on the thread that runs the command; it must not use the session,
// whose statement may still be running. What it throws goes through to the caller.
//
//   const evercore::Command command(find, {"User", "ann"}, sink);
//   session->run(command);
class Command {
 public:
  static constexpr std::size_t max_parameters = evercore::max_parameters;
  // Throws argument_error for more parameters than max_parameters, and usage_error for another
  // number than the statement has, unless that is a text of the program's own.
  Command(const Statement& statement, std::initializer_list<Parameter> parameters,
          RowSink rows = {});

  const Statement& statement() const noexcept { return *statement_; }
  std::span<const Parameter> parameters() const noexcept { return {parameters_.data(), count_}; }
  const RowSink& rows() const noexcept { return rows_; }

 private:
  const Statement* statement_;
  std::array<Parameter, max_parameters> parameters_;
  std::size_t count_;
  RowSink rows_;
};

// One connection, for one thread at a time. Outside a transaction each command is a transaction of
// its own. A command that fails inside a transaction takes its own effects back and leaves the
// transaction as it was, unless the engine gives up the whole: every command fails then until
// rollback(). There is one transaction at a time: none begins within another.
class Session {
 public:
  virtual ~Session() = default;
  // Commands from now on see one consistent snapshot, the one of the first of them, until commit or
  // rollback. A driver may put off the call to the engine until the first command.
  virtual void begin_read() = 0;
  // Commands from now on see the newest and may write, until commit or rollback. SQLite waits here
  // for the database's one write lock, and throws busy_error after busy_timeout. A driver may put
  // off the call to the engine until the first command.
  virtual void begin_write() = 0;
  // Runs the commands in order, in one round trip where the engine has round trips, and gives their
  // rows to their sinks. Throws the error of the first one that fails; those before it may have had
  // their effects, those after it have none.
  virtual void run(std::span<const Command> commands) = 0;
  // Runs the commands, of which there may be none, and commits. The transaction is over then, also
  // when this throws; nothing of it is kept in that case, unless a connection_error says that it
  // may be (may_have_written()).
  virtual void commit(std::span<const Command> commands) = 0;
  // Ends the transaction, if there is one, and takes back what it did.
  virtual void rollback() noexcept = 0;
  // What a transaction runs first that declares what nobody has declared so far, of this aggregate
  // type or of event types alone: a command that keeps others from declaring until the transaction
  // ends. Nothing where begin_write() keeps all other writers out, as on SQLite. The type's text
  // must live until the command has run.
  virtual std::optional<Command> hold_declarations(std::optional<std::string_view> /*type*/) const {
    return std::nullopt;
  }
  // One command, as above. A class that overrides the other run() says `using Session::run;`.
  void run(const Command& command) { run(std::span(&command, 1)); }
};

class StorageEngine;

// Gives a session back to its engine's pool. The engine must outlive the handle.
struct SessionReturn {
  StorageEngine* engine = nullptr;
  void operator()(Session* session) const noexcept;
};
// A session in use, which goes back by itself; a transaction that is still open is rolled back
// then. It may be empty.
using SessionHandle = std::unique_ptr<Session, SessionReturn>;

// An engine with its connections. Safe to use from many threads, while each session is one thread's
// at a time.
class StorageEngine {
 public:
  // All sessions and watches must be gone.
  virtual ~StorageEngine() = default;
  // "sqlite" or "postgres".
  virtual std::string_view name() const noexcept = 0;
  // Whether evercore_query() can be asked inside Session::begin_read(). If not, a context asks it
  // on another session once it has read: PostgreSQL's snapshots do not show what commits late.
  virtual bool snapshots_take_queries() const noexcept { return true; }
  // A session that nobody else uses, outside of a transaction. Waits for one when all are taken;
  // throws busy_error when none comes free within the busy timeout, and connection_error when a
  // server is not reached within `reconnect`.
  virtual SessionHandle session() = 0;
  // A second session for a moment, for a caller that holds one. A driver for which
  // snapshots_take_queries() is false has one set aside, so that this never waits for callers of
  // session().
  virtual SessionHandle session_beside() { return session(); }
  // Ends the session's transaction, if one was begun for reading, performs the commands as one
  // atomic write, and gives the session back, also when it throws. The session may be empty: the
  // driver takes one of its own then. When this returns, the commands are committed; when it
  // throws, nothing of them is kept, unless a connection_error says that it may be. SQLite commits
  // the writes of several threads in one go here; each keeps its own atomicity and its own error.
  // So a sink may be called on another of those threads, and again where the common commit had to
  // be given up.
  virtual void write(SessionHandle session, std::span<const Command> commands) = 0;

  // The store calls it after each commit of a context that appended events; wakes those who wait
  // for them. PostgreSQL's tells other programs too, from a thread of its own.
  virtual void appended() noexcept { signal_.raise(); }
  // A way to wait for events, one for each runner. It must not outlive the engine. A driver that
  // says nothing more than this one wakes runners by the appends of this process alone. Throws
  // engine_error where what the watch needs cannot be had, such as a connection of its own.
  virtual std::unique_ptr<Watch> watch();

 protected:
  // What appended() raises, for the watches of a driver.
  Signal& signal() noexcept { return signal_; }
  friend struct SessionReturn;
  // Takes a session back that session() gave, on whatever thread. It may be in a transaction still,
  // which must be rolled back before another gets the session.
  virtual void give_back(Session* session) noexcept = 0;

 private:
  Signal signal_;
};

inline void SessionReturn::operator()(Session* session) const noexcept {
  if (engine != nullptr) engine->give_back(session);
}

}  // namespace evercore

#endif  // EVERCORE_ENGINE_H
