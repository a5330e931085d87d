// Every exception that evercore throws. Nothing else leaves the library but std::bad_alloc and
// whatever the caller's own functions throw.
//
//   try { store.with_context(…); }
//   catch (const evercore::conflict_error& e) { … e.expected(), e.actual() … }
//   catch (const evercore::error& e)          { … e.what(), e.code() … }
//
// The message begins with the code where the store gave one ("EV001: conflict: …"); the codes are
// those of the SQL surface and the same on both engines. No message holds a connection string's
// password.
#ifndef EVERCORE_ERROR_H
#define EVERCORE_ERROR_H

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore {

// The root. Copying one never throws.
class error : public std::runtime_error {
 public:
  explicit error(const std::string& message) : error(message, {}) {}
  error(const std::string& message, std::string_view code);

  // "EV001" … "EV011" where the surface refused; else the engine's own: an SQLSTATE such as
  // "40001", or SQLite's name such as "SQLITE_BUSY". Empty for what the library itself found wrong.
  std::string_view code() const noexcept { return code_; }

  // Whether the same work, begun again, may well succeed: conflicts, busy databases, serialization
  // failures. Nothing was written.
  virtual bool retryable() const noexcept { return false; }

 private:
  char code_[32] = {};
};

// EV001: the aggregate had moved on. Nothing was written.
class conflict_error : public error {
 public:
  explicit conflict_error(const std::string& message);
  conflict_error(std::int64_t aggregate_id, std::int64_t expected, std::int64_t actual);

  std::int64_t aggregate_id() const noexcept { return aggregate_id_; }
  std::int64_t expected() const noexcept { return expected_; }
  std::int64_t actual() const noexcept { return actual_; }
  bool retryable() const noexcept override { return true; }

 private:
  std::int64_t aggregate_id_ = 0;
  std::int64_t expected_ = 0;
  std::int64_t actual_ = 0;
};

// EV002: no such aggregate, type, subscription or sequence.
class not_found_error : public error {
  using error::error;
};

// EV003: that natural key belongs to another aggregate of the type.
class key_taken_error : public error {
  using error::error;
};

// EV004: a payload outside the profile (surface: rule 3); also what cannot be encoded, such as a
// NaN.
class payload_error : public error {
  using error::error;
};

// EV005: a name or key that is too long or empty.
class name_error : public error {
  using error::error;
};

// EV006: the lease of a subscription is another's now.
class lease_lost_error : public error {
  using error::error;
};

// EV007: that event_id exists with other content.
class event_id_error : public error {
  using error::error;
};

// EV008: the store is not migrated yet, or by a newer program.
class migration_error : public error {
  using error::error;
};

// EV009: an argument out of range or of the wrong type; also a URI that cannot be understood.
class argument_error : public error {
  using error::error;
};

// EV010: refused to keep the data safe.
class safety_error : public error {
  using error::error;
};

// EV011: a schema that the store declares does not take the data of an event, or the state that an event
// makes of its aggregate. Nothing was written, and the same again fails again. What the members tell is
// read from the message; what it does not say is empty.
class schema_error : public error {
 public:
  explicit schema_error(const std::string& message);

  // The type of the event whose data was refused; empty where it was a state.
  const std::string& event_type() const noexcept { return event_type_; }

  // The aggregate whose state was refused, and the sequence of the event that would have made it. An
  // aggregate is named by its natural key, or by its id where it has none (else that is 0).
  const std::string& aggregate_type() const noexcept { return aggregate_type_; }
  const std::optional<std::string>& natural_key() const noexcept { return natural_key_; }
  std::int64_t aggregate_id() const noexcept { return aggregate_id_; }
  std::int64_t sequence() const noexcept { return sequence_; }

  // The place that was refused, as a JSON Pointer ("/amount"), and the keyword of the schema that
  // refused it ("minimum"). The pointer is empty for the whole.
  const std::string& pointer() const noexcept { return pointer_; }
  const std::string& keyword() const noexcept { return keyword_; }

 private:
  void read_subject(std::string_view text);

  std::string event_type_;
  std::string aggregate_type_;
  std::optional<std::string> natural_key_;
  std::int64_t aggregate_id_ = 0;
  std::int64_t sequence_ = 0;
  std::string pointer_;
  std::string keyword_;
};

// The aggregate of that id is of another type than the one it was loaded as.
class type_mismatch_error : public error {
  using error::error;
};

// EventStore::warmup() alone throws this: the store declares an event type or an aggregate type in another
// way than this program does, with another fold, other tags or another schema. Writes go on, under
// what the store declares; EventStore::declare(…, evercore::replace) changes that on purpose.
class declaration_error : public error {
  using error::error;
};

// A stored event or state that the struct of this program cannot take. The message names field,
// event and place: field "address.zip" of event "UserMoved" at position 12: expected an integer,
// found a string
class decode_error : public error {
 public:
  decode_error(const std::string& message, std::string field)
      : error(message), field_(std::move(field)) {}

  // The path of the member, such as "address.lines[2]"; empty when it is the whole document.
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

// A state's validate() may throw this to refuse an event: nothing is staged.
class refused_error : public error {
  using error::error;
};

// The library was called in a way its documentation excludes, such as applying an event after the
// context's end.
class usage_error : public error {
  using error::error;
};

// The engines' own failures.
class engine_error : public error {
  using error::error;
};

// Another writer held the database, or the pool had no connection free, for longer than the busy
// timeout.
class busy_error : public engine_error {
 public:
  using engine_error::engine_error;
  bool retryable() const noexcept override { return true; }
};

// PostgreSQL gave up the transaction for another's sake (40001, 40P01).
class serialization_error : public engine_error {
 public:
  using engine_error::engine_error;
  bool retryable() const noexcept override { return true; }
};

// The server cannot be reached, or was lost. When it was lost while a write was under way, nobody
// can know from here whether the write was kept; may_have_written() says so. An event_id makes
// trying again safe.
class connection_error : public engine_error {
 public:
  connection_error(const std::string& message, std::string_view code, bool may_have_written)
      : engine_error(message, code), may_have_written_(may_have_written) {}
  bool may_have_written() const noexcept { return may_have_written_; }

 private:
  bool may_have_written_;
};

namespace detail {

// Throws the class that belongs to an EVnnn or an engine's code.
[[noreturn]] void throw_coded(const std::string& message, std::string_view code);

// "EV001" when the message begins with such a code and a colon, else empty.
std::string_view leading_code(std::string_view message) noexcept;

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_ERROR_H
