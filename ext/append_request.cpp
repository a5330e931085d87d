#include "append_request.h"

#include <new>

#include "error.h"
#include "value.h"

namespace evercore::ext {

namespace {

bool is_given(sqlite3_value* value) {
  return value != nullptr && !is_null(value);
}

/// Reads the arguments in three rounds, one for each kind of refusal. What is not even text is left
/// to the last one.
class Reader {
 public:
  Reader(Connection& connection, const AppendArguments& given, bool is_row)
      : connection_(connection), given_(given), is_row_(is_row) {}

  AppendRequest read() {
    read_payloads();
    read_names();
    read_rest();
    return request_;
  }

 private:
  /// Text, or in a row a number as a TEXT column would take it; EV009 for anything else.
  [[nodiscard]] std::string_view name(sqlite3_value* value, std::string_view argument) const {
    if (!is_row_ || sqlite3_value_type(value) == SQLITE_BLOB) return text_of(value, argument);
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    if (text == nullptr) throw std::bad_alloc();
    return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
  }
  [[nodiscard]] bool is_name(sqlite3_value* value) const {
    const int type = sqlite3_value_type(value);
    return type == SQLITE_TEXT || (is_row_ && type != SQLITE_BLOB);
  }

  void read_payloads() {
    NewEvent& event = request_.event;
    if (given_.data != nullptr && sqlite3_value_type(given_.data) == SQLITE_TEXT) {
      event.data = text_of(given_.data, "data");
      connection_.payload.check("data", event.data);
    }
    if (given_.metadata != nullptr && sqlite3_value_type(given_.metadata) == SQLITE_TEXT) {
      event.metadata = text_of(given_.metadata, "metadata");
      connection_.payload.check("metadata", *event.metadata);
      check_size(event);
    }
  }

  std::string_view checked_name(sqlite3_value* value, std::string_view argument, std::size_t most) {
    if (!is_given(value) || !is_name(value)) return {};
    const std::string_view text = name(value, argument);
    check_name(text, argument, most);
    return text;
  }

  void read_names() {
    Target& target = request_.target;
    if (is_row_ && !is_given(given_.aggregate_id)) {
      require_key(is_given(given_.aggregate_type), is_given(given_.natural_key));
    }
    target.type = checked_name(given_.aggregate_type, "aggregate_type", max_type_name);
    target.key = checked_name(given_.natural_key, "natural_key", max_natural_key);
    if (!is_given(given_.event_type)) throw error(5, "event_type is NULL");
    if (is_name(given_.event_type)) {
      request_.event.event_type = name(given_.event_type, "event_type");
      check_event_type(connection_, request_.event.event_type);
    }
    if (is_given(given_.event_id) && is_name(given_.event_id)) {
      request_.event.event_id = checked_name(given_.event_id, "event_id", max_event_id);
    }
  }

  void require_text(sqlite3_value* value, std::string_view argument) const {
    if (is_given(value) && !is_name(value)) static_cast<void>(name(value, argument));
  }

  void read_rest() {
    NewEvent& event = request_.event;
    if (event.data.data() == nullptr) static_cast<void>(required_text(given_.data, "data"));
    if (is_given(given_.expected)) request_.expected = integer_from(given_.expected, "expected", 0);
    if (is_given(given_.reference)) {
      event.reference = name(given_.reference, "reference");
      check_reference(*event.reference);
    }
    if (is_given(given_.metadata) && !event.metadata) {
      static_cast<void>(text_of(given_.metadata, "metadata"));
    }
    if (is_given(given_.event_time)) event.event_time = time_of(given_.event_time, "event_time");
    if (is_given(given_.aggregate_id)) {
      if (is_given(given_.aggregate_type) || is_given(given_.natural_key)) throw named_twice();
      request_.target.id = integer_of(given_.aggregate_id, "aggregate_id");
    }
    require_text(given_.aggregate_type, "aggregate_type");
    require_text(given_.natural_key, "natural_key");
    require_text(given_.event_type, "event_type");
    require_text(given_.event_id, "event_id");
  }

  Connection& connection_;
  const AppendArguments& given_;
  bool is_row_;
  AppendRequest request_;
};

}  // namespace

AppendRequest read_call(Connection& connection, const AppendArguments& arguments) {
  return Reader(connection, arguments, false).read();
}

AppendRequest read_row(Connection& connection, const AppendArguments& arguments) {
  return Reader(connection, arguments, true).read();
}

void check_size(const NewEvent& event) {
  const std::size_t metadata = event.metadata ? event.metadata->size() : 0;
  if (event.data.size() + metadata > max_payload_bytes) throw error(4, "data: too large");
}

void check_event_type(Connection& connection, std::string_view name) {
  if (connection.transaction.event_type(name)) return;
  check_name(name, "event_type", max_type_name);
}

void require_key(bool has_type, bool has_key) {
  if (!has_key) throw error(5, "neither aggregate_id nor natural_key given");
  if (!has_type) throw error(5, "aggregate_type is NULL");
}

Error named_twice() {
  return error(9, "aggregate_id is given together with a type or key");
}

}  // namespace evercore::ext
