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
//
// | to do                         | classes                                                       |
// |-------------------------------|---------------------------------------------------------------|
// | the same work once more       | those that are retryable(): conflict_error, busy_error,       |
// |                               | serialization_error; with_retry() does so by itself           |
// | ask whether it was written    | connection_error with may_have_written()                      |
// | tell the user                 | refused_error, key_taken_error, schema_error, not_found_error |
// | mend the program              | usage_error, argument_error, name_error, payload_error,       |
// |                               | type_mismatch_error, event_id_error, decode_error             |
// | mend the store or its server  | migration_error, safety_error, declaration_error, and every   |
// |                               | other engine_error                                            |
//
// An exception owns its texts: what its members give lives as long as the exception that was asked,
// and any thread may read it.
#ifndef EVERCORE_ERROR_H
#define EVERCORE_ERROR_H

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore {

// The root: catch this for all of them. Copying one never throws, but for std::bad_alloc where a
// class below holds texts of its own.
class error : public std::runtime_error {
 public:
  // A code that is empty is read from the message, where it begins with one ("EV009: …"). Of a code
  // 31 bytes are kept.
  explicit error(const std::string& message) : error(message, {}) {}
  error(const std::string& message, std::string_view code);

  // "EV001" … "EV011" for the classes below that name one, whether the store or the library
  // refused; else the engine's own: an SQLSTATE such as "40001", or SQLite's name such as
  // "SQLITE_BUSY". Empty for what has no code, such as a usage_error.
  std::string_view code() const noexcept { return code_; }

  // Whether the same work, begun again and with everything loaded again, may well succeed. Nothing
  // was written then.
  virtual bool retryable() const noexcept { return false; }

 private:
  char code_[32] = {};
};

// EV001: an aggregate was not at the version at which it was loaded, or which publish() expected;
// or an event had come that matches a query of the context (query.h). Nothing was written: load,
// decide and apply again, as with_retry() does.
class conflict_error : public error {
 public:
  explicit conflict_error(const std::string& message);
  conflict_error(std::int64_t aggregate_id, std::int64_t expected, std::int64_t actual);

  // The aggregate, the version that it should have had, and the version that it had. They are read
  // from the message, and are 0 where that names none: of a query it names the event instead.
  std::int64_t aggregate_id() const noexcept { return aggregate_id_; }
  std::int64_t expected() const noexcept { return expected_; }
  std::int64_t actual() const noexcept { return actual_; }
  bool retryable() const noexcept override { return true; }

 private:
  std::int64_t aggregate_id_ = 0;
  std::int64_t expected_ = 0;
  std::int64_t actual_ = 0;
};

// EV002: no such aggregate, type, subscription or sequence. An aggregate that was erased is one
// that is not there, for writing and by its key; a sequence may have been removed by compaction.
class not_found_error : public error {
  using error::error;
};

// EV003: that natural key belongs to another aggregate of the type. Thrown by create() and
// change_key() of a context, at once.
class key_taken_error : public error {
  using error::error;
};

// EV004: data, metadata or a state that the store does not take: no JSON object, no UTF-8, above
// 16 MiB, a number out of range, a key twice (docs/reference.md, "Payloads"). Also what no JSON can
// hold, such as a NaN, and a text that decode() should read and that is no JSON. On PostgreSQL the
// code may be "22021", for bytes that are no text.
class payload_error : public error {
  using error::error;
};

// EV005: a name that is too long or empty: of a type, a key, an event_id, a tag or a subscription.
// Most have 1 to 255 characters.
class name_error : public error {
  using error::error;
};

// EV006: the lease of a subscription is another's now, so that what this runner acknowledges does
// not count. run_subscription() claims again by itself.
class lease_lost_error : public error {
  using error::error;
};

// EV007: that event_id exists with other content (another aggregate, event type or data), or a
// context has both repeats by event_id and new events. Nothing was written.
class event_id_error : public error {
  using error::error;
};

// EV008: the store is not migrated yet, or by a newer program, or there is none in this schema of
// the database. connect() migrates, unless the URI says migrate=off.
class migration_error : public error {
  using error::error;
};

// EV009: an argument out of range or of the wrong form: a negative sequence, a time outside the
// years 1 to 9999, a query that says nothing. Also a URI that cannot be understood.
class argument_error : public error {
  using error::error;
};

// EV010: refused to keep the data safe, such as a condition that the store cannot check, or a
// declaration that would change what compaction has already folded. The message says what to do.
class safety_error : public error {
  using error::error;
};

// EV011: a schema that the store declares does not take the data of an event, or the state that an
// event makes of its aggregate. The commit throws it. Nothing was written, and the same again fails
// again. What the members tell is read from the message; what it does not say is empty.
//   EV011: data of "Deposited": /amount: minimum
//   EV011: state of "Account" "A-1" at sequence 7: /balance: minimum
class schema_error : public error {
 public:
  explicit schema_error(const std::string& message);

  // The type of the event whose data was refused; empty where it was a state.
  const std::string& event_type() const noexcept { return event_type_; }

  // The aggregate whose state was refused, and the sequence of the event that would have made it.
  // An aggregate is named by its natural key, or by its id where it has none; the other of the two
  // is empty or 0. All are empty or 0 where data were refused.
  const std::string& aggregate_type() const noexcept { return aggregate_type_; }
  const std::optional<std::string>& natural_key() const noexcept { return natural_key_; }
  std::int64_t aggregate_id() const noexcept { return aggregate_id_; }
  std::int64_t sequence() const noexcept { return sequence_; }

  // The place that was refused, as a JSON Pointer ("/amount"), and the keyword of the schema that
  // refused it ("minimum"). The pointer is empty for the whole; where a member is missing it is
  // that of the object around it, and the keyword is "required".
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

// The aggregate of that id is of another type than the one it was loaded as: the id is of something
// else. It has no code.
class type_mismatch_error : public error {
  using error::error;
};

// EventStore::warmup() alone throws this, after it has declared all the rest: the store declares an
// event type or an aggregate type in another way than this program does, with another fold, other
// tags or another schema. The message names each difference. Writes go on, under what the store
// declares; EventStore::declare<…>(evercore::replace) changes that on purpose.
class declaration_error : public error {
  using error::error;
};

// A stored event or state that the struct of this program cannot take: a member is of another kind,
// out of range, or required and missing; or the event is not among those of the aggregate. The
// message names field, event and place:
//   event "UserMoved" at position 12 (aggregate 7, sequence 3): field "address.zip": expected an
//   integer, found a string
// Mend the struct, or let it say what it was before (event.h): what is stored does not change.
class decode_error : public error {
 public:
  decode_error(const std::string& message, std::string field)
      : error(message), field_(std::move(field)) {}

  // The path of the member by its names in JSON, such as "address.lines[2]", elements from 0; empty
  // when it is the whole document or event.
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

// For the program to throw: in a state's validate(), to refuse an event before anything is staged,
// or in a context, where a rule says no. The library never does, and never catches it.
//   if (event.cents > balance) throw evercore::refused_error("insufficient funds");
class refused_error : public error {
  using error::error;
};

// The library was called in a way its documentation excludes, such as applying an event after the
// context's end, or using two structs under one name. It is a fault of the program: trying again
// does not help.
class usage_error : public error {
  using error::error;
};

// The engines' own failures: a full disk, a right that is missing, a statement of execute() that is
// wrong. code() is the SQLSTATE or SQLite's name for it.
class engine_error : public error {
  using error::error;
};

// Another writer held the database, or the pool had no connection free, for longer than the busy
// timeout (busy_timeout in the URI, in milliseconds; 5,000 unless it says otherwise). Nothing was
// written. In a context inside a context it may be the outer one that holds what is waited for:
// trying again does not help then.
class busy_error : public engine_error {
 public:
  using engine_error::engine_error;
  bool retryable() const noexcept override { return true; }
};

// PostgreSQL gave up the transaction for another's sake (40001, 40P01: a deadlock). Nothing was
// written.
class serialization_error : public engine_error {
 public:
  using engine_error::engine_error;
  bool retryable() const noexcept override { return true; }
};

// The server cannot be reached, or was lost. When it was lost while a write was under way, nobody
// can know from here whether the write was kept; may_have_written() says so. It is not retryable():
// an event_id makes trying again safe (event.h), or look in the store first. Later calls connect
// anew by themselves, trying for as long as `reconnect` in the URI says.
class connection_error : public engine_error {
 public:
  connection_error(const std::string& message, std::string_view code, bool may_have_written)
      : engine_error(message, code), may_have_written_(may_have_written) {}
  // False: nothing of the context was written. True: all of it was, or nothing.
  bool may_have_written() const noexcept { return may_have_written_; }

 private:
  bool may_have_written_;
};

namespace detail {

// Throws the class that belongs to an EVnnn or an engine's code; engine_error for any other.
[[noreturn]] void throw_coded(const std::string& message, std::string_view code);

// "EV001" when the message begins with such a code and a colon, else empty.
std::string_view leading_code(std::string_view message) noexcept;

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_ERROR_H
