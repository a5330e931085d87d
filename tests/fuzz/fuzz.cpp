// Fuzzing what takes bytes from outside: payloads, times, folds, upcasts, append_many, and arguments of the
// table functions. The first byte chooses. With clang this is a libFuzzer target; without it, the
// driver in random_driver.cpp mutates the same seeds.
#define SQLITE_CORE 1
#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../ext/evercore.h"
#include "error.h"
#include "fuzz/seeds.h"
#include "json.h"
#include "payload.h"
#include "state.h"
#include "time.h"
#include "upcast.h"

using namespace evercore::ext;

namespace {

[[noreturn]] void wrong() {
  std::abort();
}

void payload(std::string_view text) {
  static Payload parser;
  bool taken = true;
  try {
    parser.check("data", text);
  } catch (const Error&) {
    taken = false;
  }
  const Fault fault = find_fault(text);
  if (taken != fault.word.empty()) wrong();
  if (!taken && (fault.byte < 1 || fault.byte > text.size() + 1)) wrong();
}

void time(std::string_view text) {
  const auto parsed = parse_time(text);
  if (!parsed) return;
  std::array<char, time_text_size> out;
  format_time(*parsed, out);
  if (parse_time({out.data(), out.size()}) != parsed) wrong();
}

/// Two documents, parted by a NUL: each fold of one into the other is a legal document again.
void fold(std::string_view text) {
  const std::size_t cut = text.find('\0');
  if (cut == std::string_view::npos) return;
  const std::string_view state = text.substr(0, cut), data = text.substr(cut + 1);
  static Payload parser;
  const bool legal = parser.verdict(state).empty() && parser.verdict(data).empty();
  for (const Fold kind : {Fold::merge, Fold::patch, Fold::custom}) {
    try {
      State folded(state);
      folded.apply(kind, data);
      const std::string out = folded.text();
      if (legal && !parser.verdict(out).empty()) wrong();
      folded.apply(kind, data);
      if (legal && !same_json(folded.text(), out)) wrong();  // folding twice changes nothing more
    } catch (const Error&) {
      if (legal) wrong();
    }
  }
}

/// A declaration and data, parted by a NUL: what it makes of them is legal, and stays as it is.
void upcast(std::string_view text) {
  const std::size_t cut = text.find('\0');
  if (cut == std::string_view::npos) return;
  const std::string_view declared = trim(text.substr(0, cut)), data = text.substr(cut + 1);
  static Payload parser;
  std::optional<Upcast> upcast;
  try {
    parser.check_value("upcast", declared);
    if (!declared.starts_with('[')) return;
    upcast.emplace(declared);
  } catch (const Error&) {
    return;
  }
  const bool legal = parser.verdict(data).empty();
  try {
    std::string buffer;
    const std::string once(upcast->apply(data, buffer));
    if (legal && !parser.verdict(once).empty()) wrong();
    if (legal && upcast->apply(once, buffer) != once) wrong();
  } catch (const Error&) {
    if (legal) wrong();
  }
}

sqlite3* store() {
  static sqlite3* db = [] {
    sqlite3* made = nullptr;
    sqlite3_open(":memory:", &made);
    sqlite3_evercore_init(made, nullptr, nullptr);
    sqlite3_exec(made,
                 "SELECT evercore_migrate(), evercore_ensure('T','a'), "
                 "evercore_append(1,0,'E','{\"n\":1}'), evercore_snapshot(1)",
                 nullptr, nullptr, nullptr);
    return made;
  }();
  return db;
}

std::int64_t count(const char* sql) {
  sqlite3_stmt* stmt = nullptr;
  sqlite3_prepare_v2(store(), sql, -1, &stmt, nullptr);
  const std::int64_t value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
  sqlite3_finalize(stmt);
  return value;
}

/// Runs a statement with the text as its only parameter, inside a transaction that is rolled back.
void call(const char* sql, std::string_view text, bool writes) {
  sqlite3* db = store();
  if (writes) sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  const std::int64_t before = writes ? count("SELECT count(*) FROM evercore_event") : 0;
  sqlite3_stmt* stmt = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &stmt, nullptr);
  sqlite3_bind_text(stmt, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  int rc = SQLITE_ROW;
  while (rc == SQLITE_ROW) rc = sqlite3_step(stmt);
  sqlite3_finalize(stmt);
  if (!writes) return;
  if (sqlite3_get_autocommit(db) != 0) wrong();
  if (rc != SQLITE_DONE && count("SELECT count(*) FROM evercore_event") != before) wrong();
  if (rc == SQLITE_DONE && count("SELECT count(*) FROM evercore_check()") != 0) wrong();
  sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
}

constexpr const char* reads[] = {
    "SELECT * FROM evercore_follow(?1, ?1)",
    "SELECT * FROM evercore_events(?1, ?1, ?1)",
    "SELECT * FROM evercore_replay(?1, ?1)",
    "SELECT * FROM evercore_history(?1)",
    "SELECT * FROM evercore_events(CAST(?1 AS INTEGER), CAST(?1 AS REAL), length(?1))",
    "SELECT evercore_state(1, CAST(?1 AS INTEGER)), evercore_sequence(1, ?1)",
    "SELECT evercore_find(?1, ?1)",
    "SELECT evercore_sequence(1, ?1)"};
constexpr const char* writes[] = {
    "SELECT evercore_append_many(?1)",
    "SELECT evercore_append(1, NULL, 'E', ?1)",
    "SELECT evercore_append(1, NULL, ?1, '{}', ?1, '{}', NULL, ?1)",
    "SELECT evercore_append(1, NULL, 'E', '{}', NULL, ?1)",
    "SELECT evercore_ensure(?1, ?1)",
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?1, ?1, "
    "?1, '{}'), ('T','a','E',?1)",
    "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, "
    "'E', ?1, NULL), (1, 'E', '{}', ?1)",
    "SELECT evercore_save_snapshot(1, 1, ?1, 1)"};

}  // namespace

std::vector<std::string> evercore::fuzz::seeds() {
  std::vector<std::string> texts = {
      R"({"name":"Ann","tags":["a",null],"o":{"x":1.5e3,"y":"\u00e9\ud83d\ude00"}})",
      "2026-11-21T22:10:41.123456+01:30",
      "7",
      "-1",
      "1e300",
      std::string("{\"a\":1,\"o\":{\"x\":1}}") + '\0' + "{\"o\":{\"x\":null,\"y\":[2]},\"a\":null}",
      R"([{"rename":{"/a":"b"}},{"move":{"/c/d":"/e/f~1"}},{"default":{"/g/h":[1]}},{"remove":["/i"]}])" +
          (std::string() + '\0') + R"({"a":1,"c":{"d":null},"i":{"\u0061":2},"g":{"x":[]}})",
      R"([{"aggregate_id":1,"expected":1,"events":[{"event_type":"E","data":{"n":1},"metadata":{},"reference":"r","event_time":"2026-01-01T00:00:00Z","event_id":"i"}]},{"aggregate_type":"T","natural_key":"b","events":[{"event_type":"F","data":{}}]}])"};
  std::vector<std::string> all;
  for (int choice = 0; choice < 64; ++choice) {
    for (const std::string& text : texts) all.push_back(static_cast<char>(choice) + text);
  }
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::uint8_t choice = data[0];
  switch (choice % 8) {
    case 0:
      payload(text);
      break;
    case 1:
      time(text);
      break;
    case 2:
      fold(text);
      break;
    case 3:
      call(reads[choice / 8 % std::size(reads)], text, false);
      break;
    case 4:
      call(writes[0], text, true);
      break;
    case 5:
      upcast(text);
      break;
    default:
      call(writes[choice / 8 % std::size(writes)], text, true);
      break;
  }
  return 0;
}
