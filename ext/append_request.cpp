#include "append_request.h"

#include <utility>

#include "error.h"
#include "value.h"

namespace evercore::ext {

namespace {

/// Throws EV005; a name that the transaction knows has been checked.
void check_event_type(Connection& connection, std::string_view name) {
  if (connection.transaction.event_type(name)) return;
  check_name(name, "event_type", max_type_name);
}

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
    return std::move(request_);
  }

 private:
  /// Text, or a number in its place; EV009 for bytes.
  [[nodiscard]] std::string_view name(sqlite3_value* value, std::string_view argument) {
    if (sqlite3_value_type(value) == SQLITE_TEXT) return text_of(value, argument);
    const Name name(value, argument);
    return request_.digits.emplace_front(std::string_view(name));
  }
  [[nodiscard]] static bool is_name(sqlite3_value* value) {
    return sqlite3_value_type(value) != SQLITE_BLOB;
  }

  [[nodiscard]] std::string_view document(sqlite3_value* value, std::string_view argument) const {
    return connection_.is_utf8() ? bytes_of(value) : document_of(value, argument);
  }

  void read_payloads() {
    NewEvent& event = request_.event;
    if (given_.data != nullptr && is_document(given_.data)) {
      event.data = document(given_.data, "data");
      connection_.payload.check("data", event.data);
    }
    if (given_.metadata != nullptr && is_document(given_.metadata)) {
      event.metadata = document(given_.metadata, "metadata");
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
    if (is_given(given_.tags)) read_tags();
  }

  void read_tags() {
    tags_.emplace();
    if (sqlite3_value_type(given_.tags) != SQLITE_TEXT) return tags_->refuse();
    tags_->read(connection_.payload, text_of(given_.tags, "tags"));
    tags_->check_names();
  }

  static void require_text(sqlite3_value* value, std::string_view argument) {
    if (is_given(value) && !is_name(value)) static_cast<void>(text_of(value, argument));
  }

  /// EV009 where a column that may be left off is an empty text.
  static void refuse_empty(sqlite3_value* value, std::string_view argument) {
    if (value == nullptr || sqlite3_value_type(value) != SQLITE_TEXT) return;
    if (sqlite3_value_bytes(value) > 0) return;
    throw error(9, std::string(argument) + " is empty: NULL is none");
  }

  void read_rest() {
    NewEvent& event = request_.event;
    if (event.data.data() == nullptr) static_cast<void>(required_text(given_.data, "data"));
    if (is_row_) {
      refuse_empty(given_.aggregate_id, "aggregate_id");
      refuse_empty(given_.expected, "expected");
      refuse_empty(given_.reference, "reference");
      refuse_empty(given_.event_time, "event_time");
      refuse_empty(given_.tags, "tags");
    }
    if (is_given(given_.expected)) request_.expected = integer_from(given_.expected, "expected", 0);
    if (is_given(given_.reference)) {
      event.reference = name(given_.reference, "reference");
      check_reference(*event.reference);
    }
    if (is_given(given_.metadata) && !event.metadata) {
      static_cast<void>(text_of(given_.metadata, "metadata"));
    }
    if (is_given(given_.event_time)) event.event_time = time_of(given_.event_time, "event_time");
    if (tags_) take_tags();
    if (is_given(given_.aggregate_id)) {
      if (is_given(given_.aggregate_type) || is_given(given_.natural_key)) throw named_twice();
      request_.target.id = integer_of(given_.aggregate_id, "aggregate_id");
    }
    require_text(given_.aggregate_type, "aggregate_type");
    require_text(given_.natural_key, "natural_key");
    require_text(given_.event_type, "event_type");
    require_text(given_.event_id, "event_id");
  }

  void take_tags() {
    tags_->check_rest();
    auto tags = tags_->take();
    if (!tags) return;
    request_.tags = std::make_unique<const Tags>(std::move(*tags));
    request_.event.tags = request_.tags.get();
  }

  Connection& connection_;
  const AppendArguments& given_;
  bool is_row_;
  std::optional<GivenTags> tags_;
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

void require_key(bool has_type, bool has_key) {
  if (!has_key) throw error(5, "neither aggregate_id nor natural_key given");
  if (!has_type) throw error(5, "aggregate_type is NULL");
}

Error named_twice() {
  return error(9, "aggregate_id is given together with a type or key");
}

}  // namespace evercore::ext
