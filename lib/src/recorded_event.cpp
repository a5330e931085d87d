#include "recorded_event.h"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace evercore::detail {

namespace {

void take(const Row& row, int column, std::int64_t& value) {
  value = row.integer(column);
}

void take(const Row& row, int column, std::string& value) {
  value = row.text(column);
}

void take(const Row& row, int column, std::optional<std::string>& value) {
  if (!row.is_null(column)) value = row.text(column);
}

void take(const Row& row, int column, Time& value) {
  value = row.time(column);
}

void take(const Row& row, int column, std::vector<std::string>& value) {
  if (row.is_null(column)) return;
  const json::Value tags = thread_document().parse(row.text(column));
  for (json::Value tag = tags.first(); !tag.at_end(); tag = tag.next())
    value.emplace_back(tag.text());
}

}  // namespace

RecordedEvent recorded_event(const Row& row) {
  RecordedEvent event;
  int column = 0;
  std::apply([&](auto&... member) { (take(row, column++, member), ...); }, reflect::members(event));
  return event;
}

}  // namespace evercore::detail
