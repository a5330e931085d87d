#include "evercore/error.h"

#include <algorithm>
#include <charconv>

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
  if (code == "EV008") throw schema_error(message, code);
  if (code == "EV009") throw argument_error(message, code);
  if (code == "EV010") throw safety_error(message, code);
  if (code == "40001" || code == "40P01") throw serialization_error(message, code);
  if (code == "55P03" || code.starts_with("SQLITE_BUSY") || code.starts_with("SQLITE_LOCKED")) {
    throw busy_error(message, code);
  }
  throw engine_error(message, code);
}

}  // namespace detail
}  // namespace evercore
