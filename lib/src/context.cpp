#include "evercore/context.h"

#include "evercore/error.h"
#include "recorded_event.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore {

ReadonlyContext::~ReadonlyContext() {
  work_->abandon();
}

std::optional<std::int64_t> ReadonlyContext::find(const AggregateType& type,
                                                  std::string_view natural_key) {
  return work_->find(type, natural_key);
}

void ReadonlyContext::load_into(Aggregate& aggregate, std::int64_t id) {
  work_->load(aggregate, id);
}

void ReadonlyContext::load_into(Aggregate& aggregate, std::string_view natural_key) {
  work_->load(aggregate, natural_key);
}

void ReadonlyContext::load_into_at(Aggregate& aggregate, std::int64_t id, std::int64_t sequence) {
  work_->load_at(aggregate, id, sequence);
}

std::int64_t ReadonlyContext::sequence(std::int64_t id) {
  std::int64_t sequence = 0;
  auto sink = [&](const Row& row) { sequence = row.integer(0); };
  work_->reading().run(Command(statements::sequence, {id}, sink));
  return sequence;
}

std::int64_t ReadonlyContext::sequence(std::int64_t id, Time at) {
  std::int64_t sequence = 0;
  const std::string time = format_time(at);
  auto sink = [&](const Row& row) { sequence = row.integer(0); };
  work_->reading().run(Command(statements::sequence_at, {id, std::string_view(time)}, sink));
  return sequence;
}

std::string ReadonlyContext::state(std::int64_t id) {
  std::string state;
  auto sink = [&](const Row& row) { state = row.text(0); };
  work_->reading().run(Command(statements::state, {id}, sink));
  return state;
}

std::string ReadonlyContext::state(std::int64_t id, std::int64_t sequence) {
  std::string state;
  auto sink = [&](const Row& row) { state = row.text(0); };
  work_->reading().run(Command(statements::state_at, {id, sequence}, sink));
  return state;
}

std::vector<RecordedEvent> ReadonlyContext::events(std::int64_t id, std::int64_t after,
                                                   std::int64_t limit) {
  std::vector<RecordedEvent> events;
  auto sink = [&](const Row& row) { events.push_back(detail::recorded_event(row)); };
  work_->reading().run(Command(statements::events, {id, after, limit}, sink));
  return events;
}

void ReadonlyContext::will_fold(const AggregateType& events) {
  work_->meet(events);
}

std::vector<RecordedEvent> ReadonlyContext::matching(const Query& query) {
  return work_->query(query);
}

std::vector<RecordedEvent> Context::depend_on(const Query& query) {
  work_->require_writable();
  return work_->depend_on(query);
}

void Context::create_into(Aggregate& aggregate, std::optional<std::string_view> natural_key) {
  work_->create(aggregate, natural_key);
}

void Context::load_or_create_into(Aggregate& aggregate, std::string_view natural_key) {
  work_->load_or_create(aggregate, natural_key);
}

void Context::change_key(Aggregate& aggregate, std::string_view new_key) {
  work_->change_key(aggregate, new_key);
}

void Context::publish(std::int64_t aggregate_id, RawEvent event,
                      std::optional<std::int64_t> expected) {
  // 0 would read as "by type and key" further down.
  if (aggregate_id == 0) throw not_found_error("EV002: no aggregate 0");
  work_->publish(aggregate_id, {}, {}, std::move(event), expected);
}

void Context::publish(std::string_view aggregate_type, std::string_view natural_key, RawEvent event,
                      std::optional<std::int64_t> expected) {
  work_->publish(0, aggregate_type, natural_key, std::move(event), expected);
}

void Context::execute(std::string_view sql, std::initializer_list<Parameter> parameters,
                      RowSink rows) {
  const std::string text(sql);
  const Statement statement = Statement::foreign_text(text.c_str());
  const Command command(statement, parameters, rows);
  work_->require_writable();
  work_->writing().run(command);
}

void Context::save_snapshot(const Aggregate& aggregate) {
  work_->save_snapshot(aggregate);
}

void Context::adopt(Aggregate& aggregate) {
  work_->adopt(aggregate);
}

}  // namespace evercore
