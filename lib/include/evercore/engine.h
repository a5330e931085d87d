// The interface between the store and an engine's driver. Programs have no need of it; it is public
// so that tests can put a driver of their own below a store. A driver knows nothing of events: it
// runs statements of the SQL surface, the same text on both engines, and takes care of connections,
// transactions and what is lost when they break.
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

// One SQL text of the surface, a static object. "{}" stands where PostgreSQL needs the store's
// schema; parameters are $1, $2, … in the order of their first appearance. `types` has one letter a
// parameter: i for an integer, t for text. It is made when it is compiled, and does not compile when
// the parameters in the text, their letters and max_parameters do not agree.
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
  // A text of the program's own is sent as it is, need not outlive its command, and leaves the number
  // and the types of its parameters to the engine.
  static Statement foreign_text(const char* text) noexcept { return Statement(text); }

  const char* sql;
  const char* types;
  std::size_t parameters;
  bool foreign = false;

 private:
  explicit Statement(const char* text) noexcept
      : sql(text), types(""), parameters(0), foreign(true) {}

  // How many parameters a text has.
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

// A parameter of a command; a text is not copied.
class Parameter {
 public:
  enum class Kind : unsigned char { null, integer, text };
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
  std::int64_t integer() const noexcept { return integer_; }
  std::string_view text() const noexcept { return text_; }

 private:
  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;
  std::string_view text_;
};

// The current row of a result, which an engine's driver implements. Columns count from 0. Each of these
// reads a column as what it was selected as; whoever may meet a NULL asks is_null() first. Texts live until
// the sink that was given the row returns. Throws engine_error for a time that cannot be read.
class Row {
 public:
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual Time time(int column) const = 0;

 protected:
  ~Row() = default;
};

// A reference to a function object that takes rows: it must outlive the command it is given to.
class RowSink {
 public:
  RowSink() = default;
  template <class F>
  requires(!std::is_same_v<F, RowSink>) RowSink(F& function)  // NOLINT
      : object_(&function),
        call_([](void* object, const Row& row) { (*static_cast<F*>(object))(row); }) {}
  void operator()(const Row& row) const {
    if (call_ != nullptr) call_(object_, row);
  }

 private:
  void* object_ = nullptr;
  void (*call_)(void*, const Row&) = nullptr;
};

// A statement, its parameters, and where its rows go. The texts of the parameters and the sink's object
// are not copied: they must live until the command has run. A sink is called once a row, in their order,
// on the thread that runs the command. What it throws goes through to the caller.
class Command {
 public:
  static constexpr std::size_t max_parameters = evercore::max_parameters;
  // Throws argument_error for more parameters than max_parameters, and usage_error for another number
  // than the statement has, unless that is a text of the program's own.
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
// transaction as it was.
class Session {
 public:
  virtual ~Session() = default;
  // Commands from now on see one consistent snapshot, until commit or rollback.
  virtual void begin_read() = 0;
  // Commands from now on see the newest and may write, until commit or rollback. A driver may put
  // off the call to the engine until the first command.
  virtual void begin_write() = 0;
  // Runs the commands in order, in one round trip where the engine has round trips.
  virtual void run(std::span<const Command> commands) = 0;
  // Runs the commands and commits. When it throws, nothing of the transaction is kept, unless a
  // connection_error says that it may be.
  virtual void commit(std::span<const Command> commands) = 0;
  virtual void rollback() noexcept = 0;
  // What a transaction runs first that declares what nobody has declared so far, of this aggregate type
  // or of event types alone. Nothing where begin_write() keeps all other writers out.
  virtual std::optional<Command> hold_declarations(std::optional<std::string_view> /*type*/) const {
    return std::nullopt;
  }
  void run(const Command& command) { run(std::span(&command, 1)); }
};

class StorageEngine;

// Gives a session back to its engine's pool.
struct SessionReturn {
  StorageEngine* engine = nullptr;
  void operator()(Session* session) const noexcept;
};
using SessionHandle = std::unique_ptr<Session, SessionReturn>;

// An engine with its connections. Safe to use from many threads.
class StorageEngine {
 public:
  virtual ~StorageEngine() = default;
  // "sqlite" or "postgres".
  virtual std::string_view name() const noexcept = 0;
  // Whether evercore_query() can be asked inside Session::begin_read().
  virtual bool snapshots_take_queries() const noexcept { return true; }
  // A session that nobody else uses. Waits for one when all are taken; throws busy_error when none
  // comes free within the busy timeout.
  virtual SessionHandle session() = 0;
  // A second session for a moment, for a caller that holds one: never waits for callers of session().
  virtual SessionHandle session_beside() { return session(); }
  // Ends the session's transaction, if one was begun for reading, gives the session back and
  // performs the commands as one atomic write. The session may be empty. SQLite commits the writes
  // of several threads in one go here; each keeps its own atomicity and its own error.
  virtual void write(SessionHandle session, std::span<const Command> commands) = 0;

  // Told after each commit that appended events; wakes those who wait for them.
  virtual void appended() noexcept { signal_.raise(); }
  // A way to wait for events. It must not outlive the engine. A driver that says nothing more than
  // this one wakes runners by the appends of this process alone.
  virtual std::unique_ptr<Watch> watch();

 protected:
  Signal& signal() noexcept { return signal_; }
  friend struct SessionReturn;
  virtual void give_back(Session* session) noexcept = 0;

 private:
  Signal signal_;
};

inline void SessionReturn::operator()(Session* session) const noexcept {
  if (engine != nullptr) engine->give_back(session);
}

}  // namespace evercore

#endif  // EVERCORE_ENGINE_H
