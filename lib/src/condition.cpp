// Queries of a unit of work, and the conditions that its commit depends on.
#include <algorithm>

#include "evercore/query.h"
#include "recorded_event.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore::detail {

namespace {

// More items than this are the conditions of several calls.
constexpr std::size_t most_items = 100;

void put_texts(std::string& json, std::string_view member, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json += json.back() == '{' ? "\"" : ",\"";
  json += member;
  json += "\":[";
  for (const std::string& text : texts) {
    if (&text != &texts.front()) json += ',';
    json::write_string(json, text);
  }
  json += ']';
}

void put_item(std::string& json, const QueryItem& item) {
  if (json.back() != '[') json += ',';
  json += '{';
  put_texts(json, "types", item.types);
  put_texts(json, "tags", item.tags);
}

}  // namespace

std::string query_as_json(const Query& query) {
  std::string json = "[";
  for (const QueryItem& item : query) {
    put_item(json, item);
    json += '}';
  }
  return json += ']';
}

std::vector<RecordedEvent> UnitOfWork::query(const Query& query) {
  const std::string json = query_as_json(query);
  std::vector<RecordedEvent> events;
  auto sink = [&](const Row& row) { events.push_back(recorded_event(row)); };
  const Command command(statements::query, {std::string_view(json)}, sink);
  if (mode_ == Mode::writing || core_->engine->snapshots_take_queries()) {
    (mode_ == Mode::writing ? writing() : reading()).run(command);
  } else if (reading_) {
    core_->engine->session_beside()->run(command);
  } else {
    if (outcome_ != Outcome::open) throw usage_error("the context has ended");
    if (!session_) session_ = core_->engine->session();
    session_->run(command);
  }
  return events;
}

std::vector<RecordedEvent> UnitOfWork::depend_on(const Query& query) {
  std::vector<RecordedEvent> events = this->query(query);
  const std::int64_t after = events.empty() ? 0 : events.back().position;
  if (query.empty()) {
    depends_on_all_after_ = std::min(after, depends_on_all_after_.value_or(after));
  }
  for (const QueryItem& item : query) depends_on_.emplace_back(item, after);
  return events;
}

std::vector<UnitOfWork::Condition> UnitOfWork::conditions() const {
  std::vector<Condition> conditions;
  if (depends_on_all_after_) conditions.push_back({"[]", *depends_on_all_after_});
  for (std::size_t first = 0; first < depends_on_.size(); first += most_items) {
    std::string json = "[";
    for (std::size_t i = first; i < std::min(first + most_items, depends_on_.size()); ++i) {
      put_item(json, depends_on_[i].first);
      json += ",\"after\":";
      json::write_integer(json, depends_on_[i].second);
      json += '}';
    }
    conditions.push_back({json += ']', 0});
  }
  return conditions;
}

}  // namespace evercore::detail
