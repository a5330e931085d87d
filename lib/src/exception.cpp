// The exceptions, made of the codes and messages of the engines.
#include <algorithm>
#include <charconv>

#include "evercore/error.h"

namespace evercore {

namespace {

// The number after `word` in a conflict's message.
std::int64_t number_after(std::string_view message, std::string_view word) noexcept {
  std::int64_t number = 0;
  const auto at = message.find(word);
  if (at == message.npos) return number;
  message.remove_prefix(at + word.size());
  std::from_chars(message.data(), message.data() + message.size(), number);
  return number;
}

bool is_pointer(std::string_view text) noexcept {
  return text.empty() || text.front() == '/';
}

// Takes `start` from the front of the text, where it stands there.
bool take(std::string_view& text, std::string_view start) noexcept {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

// Takes a number of digits from the front of the text.
bool take(std::string_view& text, std::int64_t& number) noexcept {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// Takes what an INSERT on PostgreSQL says of the row off the end: "type (row 2)".
void drop_row(std::string_view& keyword) noexcept {
  const auto row = keyword.rfind(" (row ");
  if (row != keyword.npos && keyword.back() == ')') keyword = keyword.substr(0, row);
}

}  // namespace

error::error(const std::string& message, std::string_view code) : std::runtime_error(message) {
  if (code.empty()) code = detail::leading_code(message);
  std::copy_n(code.data(), std::min(code.size(), sizeof code_ - 1), code_);
}

conflict_error::conflict_error(const std::string& message)
    : error(message, "EV001"),
      aggregate_id_(number_after(message, "aggregate ")),
      expected_(number_after(message, "expected ")),
      actual_(number_after(message, "sequence ")) {}

conflict_error::conflict_error(std::int64_t aggregate_id, std::int64_t expected,
                               std::int64_t actual)
    : conflict_error("EV001: conflict: aggregate " + std::to_string(aggregate_id) +
                     " is at sequence " + std::to_string(actual) + ", expected " +
                     std::to_string(expected)) {}

// EV011: data of "Deposited": /amount: minimum
// EV011: state of "Account" "A-1" at sequence 7: /balance: minimum
// Names, keys and pointers stand as they are, whatever they hold: keywords hold no colon, and what comes
// before a pointer ends at the first place that may be its end.
schema_error::schema_error(const std::string& message) : error(message, "EV011") {
  std::string_view text = message;
  static_cast<void>(take(text, "EV011: "));
  const auto colon = text.rfind(": ");
  if (colon == text.npos) return;
  std::string_view keyword = text.substr(colon + 2);
  drop_row(keyword);
  keyword_ = keyword;
  read_subject(text.substr(0, colon));
}

void schema_error::read_subject(std::string_view text) {
  if (take(text, "data of \"")) {
    for (auto end = text.find("\": "); end != text.npos; end = text.find("\": ", end + 1)) {
      const std::string_view pointer = text.substr(end + 3);
      if (!is_pointer(pointer)) continue;
      event_type_ = text.substr(0, end);
      pointer_ = pointer;
      return;
    }
  } else if (take(text, "state of \"")) {
    constexpr std::string_view word = " at sequence ";
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      std::string_view rest = text.substr(at + word.size());
      if (!take(rest, sequence_) || !take(rest, ": ") || !is_pointer(rest)) continue;
      pointer_ = rest;
      const std::string_view named = text.substr(0, at);  // Account" "A-1" or Account" 12
      const auto key = named.find("\" \"");
      const auto end = key != named.npos && named.back() == '"' ? key : named.rfind("\" ");
      if (end == named.npos) return;
      aggregate_type_ = named.substr(0, end);
      std::string_view name = named.substr(end + 2);
      if (!take(name, aggregate_id_) && take(name, "\"")) {
        natural_key_ = name.substr(0, name.size() - 1);
      }
      return;
    }
    sequence_ = 0;
  }
}

namespace detail {

std::string_view leading_code(std::string_view message) noexcept {
  if (message.size() < 6 || message.substr(0, 2) != "EV" || message[5] != ':') return {};
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(message[2]) || !digit(message[3]) || !digit(message[4])) return {};
  return message.substr(0, 5);
}

void throw_coded(const std::string& message, std::string_view code) {
  if (code == "EV001") throw conflict_error(message);
  if (code == "EV002") throw not_found_error(message, code);
  if (code == "EV003") throw key_taken_error(message, code);
  if (code == "EV004" || code == "22021") throw payload_error(message, code);
  if (code == "EV005") throw name_error(message, code);
  if (code == "EV006") throw lease_lost_error(message, code);
  if (code == "EV007") throw event_id_error(message, code);
  if (code == "EV008") throw migration_error(message, code);
  if (code == "EV009") throw argument_error(message, code);
  if (code == "EV010") throw safety_error(message, code);
  if (code == "EV011") throw schema_error(message);
  if (code == "40001" || code == "40P01") throw serialization_error(message, code);
  if (code == "55P03" || code.starts_with("SQLITE_BUSY") || code.starts_with("SQLITE_LOCKED")) {
    throw busy_error(message, code);
  }
  throw engine_error(message, code);
}

}  // namespace detail
}  // namespace evercore
