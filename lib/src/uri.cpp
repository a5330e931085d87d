#include "uri.h"

#include <charconv>
#include <functional>
#include <initializer_list>

#include "evercore/error.h"

namespace evercore::detail {

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      throw argument_error("EV009: a percent sign in the URI is not followed by two hex digits");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::size_t count_value(std::string_view name, std::string_view text, std::size_t least,
                        std::size_t most) {
  std::size_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw argument_error("EV009: the URI's " + std::string(name) + " is not a number from " +
                         std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::string word_value(std::string_view name, std::string_view text,
                       std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    if (text == word) return std::string(text);
  }
  std::string message = "EV009: the URI's " + std::string(name) + " is none of";
  for (std::string_view word : words) message.append(" ").append(word);
  throw argument_error(message);
}

bool switch_value(std::string_view name, std::string_view text) {
  return word_value(name, text, {"on", "off"}) == "on";
}

// Calls take(name, decoded value, the piece itself) for each parameter of a query.
void each_parameter(
    std::string_view query,
    const std::function<void(std::string_view, const std::string&, std::string_view)>& take) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), piece.size() + 1));
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    if (equals == piece.npos) {
      throw argument_error("EV009: a parameter of the URI has no value");
    }
    take(piece.substr(0, equals), percent_decoded(piece.substr(equals + 1)), piece);
  }
}

constexpr std::size_t longest_wait = std::size_t{24} * 60 * 60 * 1000;

}  // namespace

EngineKind engine_of(std::string_view uri) {
  if (uri.starts_with("sqlite:") || uri == "memory:" || uri.starts_with("memory:?")) {
    return EngineKind::sqlite;
  }
  if (uri.starts_with("postgres://") || uri.starts_with("postgresql://")) {
    return EngineKind::postgres;
  }
  throw argument_error(
      "EV009: the URI begins with none of sqlite:, memory:, postgres:// and postgresql://");
}

SqliteOptions parse_sqlite_uri(std::string_view uri) {
  SqliteOptions options;
  const auto mark = uri.find('?');
  std::string_view query = mark == uri.npos ? std::string_view() : uri.substr(mark + 1);
  std::string_view place = uri.substr(0, mark);
  if (place != "memory:") {
    place.remove_prefix(std::string_view("sqlite:").size());
    // sqlite:///abs, sqlite:/abs, sqlite:rel and sqlite://rel: two slashes introduce, a third
    // belongs to the path.
    if (place.starts_with("//")) place.remove_prefix(2);
    if (place.empty()) throw argument_error("EV009: the URI names no file");
    if (place != ":memory:") options.path = percent_decoded(place);
  }
  each_parameter(query, [&](std::string_view name, const std::string& value, std::string_view) {
    if (name == "journal_mode") {
      options.journal_mode = word_value(name, value, {"wal", "delete", "truncate", "persist"});
    } else if (name == "synchronous") {
      options.synchronous = word_value(name, value, {"off", "normal", "full", "extra"});
    } else if (name == "busy_timeout") {
      options.busy_timeout = std::chrono::milliseconds{count_value(name, value, 0, longest_wait)};
    } else if (name == "fair") {
      options.fair = switch_value(name, value);
    } else if (name == "pool_size") {
      options.pool_size = count_value(name, value, 1, 1000);
    } else if (name == "migrate") {
      options.migrate = switch_value(name, value);
    } else {
      throw argument_error("EV009: unknown parameter \"" + std::string(name) + "\" in the URI");
    }
  });
  if (options.path.empty()) options.pool_size = 1;
  return options;
}

PostgresOptions parse_postgres_uri(std::string_view uri) {
  PostgresOptions options;
  const auto mark = uri.find('?');
  const std::string_view base = uri.substr(0, mark);
  const std::string_view query = mark == uri.npos ? std::string_view() : uri.substr(mark + 1);
  std::string rest;
  each_parameter(query, [&](std::string_view name, const std::string& value,
                            std::string_view piece) {
    if (name == "schema") {
      if (value.empty() || value.size() > 63) {
        throw argument_error("EV009: the URI's schema has not 1 to 63 characters");
      }
      options.schema = value;
    } else if (name == "pool_size") {
      options.pool_size = count_value(name, value, 1, 1000);
    } else if (name == "busy_timeout") {
      options.busy_timeout = std::chrono::milliseconds{count_value(name, value, 0, longest_wait)};
    } else if (name == "reconnect") {
      options.reconnect = std::chrono::milliseconds{count_value(name, value, 0, longest_wait)};
    } else if (name == "prepared") {
      const std::string word = word_value(name, value, {"on", "off", "auto"});
      if (word != "auto") options.prepared = word == "on";
    } else if (name == "migrate") {
      options.migrate = switch_value(name, value);
    } else if (name == "notify") {
      options.notify = switch_value(name, value);
    } else {
      rest += rest.empty() ? '?' : '&';
      rest += piece;
    }
  });
  options.conninfo = std::string(base) + rest;
  // The password stands between the first colon and the last at-sign before the path.
  options.shown = std::string(base);
  const auto start = base.find("//") + 2;
  const auto at = base.rfind('@');
  if (at != base.npos && at > start) {
    const auto colon = base.find(':', start);
    if (colon < at) options.shown.replace(colon + 1, at - colon - 1, "***");
  }
  return options;
}

}  // namespace evercore::detail
