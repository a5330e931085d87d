// The writing half of a unit of work: staging events and committing them in one call of the
// surface.
#include "evercore/error.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore::detail {

namespace {

Parameter optional_parameter(const std::string& text) {
  return text.empty() ? Parameter() : Parameter(std::string_view(text));
}

void put_text(std::string& json, std::string_view name, std::string_view text) {
  json += ",\"";
  json += name;
  json += "\":";
  json::write_string(json, text);
}

}  // namespace

void UnitOfWork::require_writable() const {
  if (outcome_ != Outcome::open) throw usage_error("the context has ended");
  if (mode_ == Mode::readonly) throw usage_error("the context is read-only");
}

// Makes an aggregate part of this unit, if it is fit for it.
void UnitOfWork::adopt(Aggregate& aggregate) {
  require_writable();
  if (aggregate.work_.get() == this) return;
  if (!aggregate.work_) throw usage_error("the aggregate was neither loaded nor created");
  switch (aggregate.work_->outcome_) {
    case Outcome::open:
      if (aggregate.work_->mode_ == Mode::readonly) break;
      throw usage_error("the aggregate belongs to another context that is still open");
    case Outcome::failed:
      throw usage_error("the aggregate was part of a context that failed: load it again");
    case Outcome::repeated:
      throw usage_error("the aggregate's events were repeats by event_id: load it again");
    case Outcome::done:
      break;
  }
  belongs(aggregate);
}

void UnitOfWork::stage(Aggregate& aggregate, std::string_view event_type, std::string data,
                       const EventOptions& options) {
  if (aggregate.as_of_) {
    throw usage_error(
        "the aggregate was loaded as of a past sequence: nothing can be applied to it");
  }
  const AggregateType& type = aggregate.type();
  will_write(type);
  staged_.push_back({aggregate.id_,
                     {},
                     {},
                     aggregate.sequence_,
                     std::string(event_type),
                     std::move(data),
                     options});
  has_event_ids_ = has_event_ids_ || !options.event_id.empty();
  ++aggregate.sequence_;
  if (type.snapshot_every > 0 && aggregate.sequence_ % type.snapshot_every == 0) {
    save_snapshot(aggregate);
  }
}

void UnitOfWork::publish(std::int64_t id, std::string_view type, std::string_view key,
                         RawEvent event, std::optional<std::int64_t> expected) {
  require_writable();
  has_event_ids_ = has_event_ids_ || !event.options.event_id.empty();
  json::require_utf8(event.data, "data");
  staged_.push_back({id, std::string(type), std::string(key), expected, std::move(event.event_type),
                     std::move(event.data), std::move(event.options)});
}

void UnitOfWork::save_snapshot(const Aggregate& aggregate) {
  require_writable();
  if (aggregate.sequence_ == 0) return;
  Snapshot snapshot{aggregate.id_, aggregate.sequence_, aggregate.encode_state(),
                    aggregate.type().state_version};
  for (Snapshot& earlier : snapshots_) {
    if (earlier.aggregate_id == snapshot.aggregate_id && earlier.version == snapshot.version) {
      earlier = std::move(snapshot);
      return;
    }
  }
  snapshots_.push_back(std::move(snapshot));
}

void UnitOfWork::stage_ack(const std::string& name, std::int64_t token, std::int64_t position) {
  ack_ = Ack{name, token, position};
}

// The argument of evercore_append_many: one object for each run of events to one aggregate, in the
// order of staging.
std::string UnitOfWork::appends_as_json() const {
  std::string json;
  std::size_t size = 64;
  for (const Staged& event : staged_)
    size += event.data.size() + event.options.metadata.size() + 64;
  json.reserve(size);
  json += '[';
  const Staged* before = nullptr;
  std::int64_t run = 0;
  for (const Staged& event : staged_) {
    ++run;
    const bool joins =
        before != nullptr && event.aggregate_id == before->aggregate_id &&
        event.aggregate_type == before->aggregate_type &&
        event.natural_key == before->natural_key &&
        (before->expected && event.expected ? *event.expected == *before->expected + 1
                                            : !before->expected && !event.expected);
    if (joins) {
      json += ',';
    } else {
      json += before == nullptr ? "{" : "]},{";
      if (event.aggregate_id != 0) {
        json += "\"aggregate_id\":";
        json::write_integer(json, event.aggregate_id);
      } else {
        json += "\"aggregate_type\":";
        json::write_string(json, event.aggregate_type);
        put_text(json, "natural_key", event.natural_key);
      }
      if (event.expected) {
        json += ",\"expected\":";
        json::write_integer(json, *event.expected);
      }
      json += ",\"events\":[";
    }
    json += "{\"event_type\":";
    json::write_string(json, event.event_type);
    json += ",\"data\":";
    json += event.data;
    const EventOptions& options = event.options;
    if (!options.reference.empty()) put_text(json, "reference", options.reference);
    if (!options.metadata.empty()) {
      json += ",\"metadata\":";
      json += options.metadata;
    }
    if (options.event_time) put_text(json, "event_time", format_time(*options.event_time));
    if (!options.event_id.empty()) put_text(json, "event_id", options.event_id);
    json += '}';
    before = &event;
  }
  json += "]}]";
  return json;
}

void UnitOfWork::commit() {
  if (outcome_ != Outcome::open) throw usage_error("the context has ended");
  std::vector<Command> commands;
  commands.reserve(2 + snapshots_.size());
  std::string json, time;
  // A repeat by event_id answers with its first sequence, which is not the one the aggregate
  // counted.
  std::int64_t answered = 0;
  auto sequence_sink = [&](const Row& row) { answered = row.integer(0); };
  try {
    // First, so that a lost lease costs no append.
    if (ack_) {
      commands.emplace_back(statements::ack,
                            std::initializer_list<Parameter>{std::string_view(ack_->name),
                                                             ack_->token, ack_->position});
    }
    if (staged_.size() == 1 && staged_[0].aggregate_id != 0) {
      const Staged& event = staged_[0];
      const EventOptions& options = event.options;
      if (options.event_time) time = format_time(*options.event_time);
      commands.emplace_back(
          statements::append,
          std::initializer_list<Parameter>{
              event.aggregate_id, event.expected ? Parameter(*event.expected) : Parameter(),
              std::string_view(event.event_type), std::string_view(event.data),
              optional_parameter(options.reference), optional_parameter(options.metadata),
              optional_parameter(time), optional_parameter(options.event_id)},
          sequence_sink);
    } else if (!staged_.empty()) {
      json = appends_as_json();
      commands.emplace_back(statements::append_many,
                            std::initializer_list<Parameter>{std::string_view(json)});
    }
    // Where an event may turn out to be a repeat, the states in hand may be wrong.
    if (!has_event_ids_) {
      for (const Snapshot& snapshot : snapshots_) {
        commands.emplace_back(
            statements::save_snapshot,
            std::initializer_list<Parameter>{snapshot.aggregate_id, snapshot.sequence,
                                             std::string_view(snapshot.state), snapshot.version});
      }
    }
    if (mode_ == Mode::writing) {
      session_->commit(commands);
    } else if (!commands.empty()) {
      end_reading();
      declare_types();
      core_->engine->write(std::move(session_), commands);
    } else {
      end_reading();
    }
  } catch (...) {
    abandon();
    throw;
  }
  if (!staged_.empty()) core_->engine->appended();
  const bool repeated = has_event_ids_ && (staged_.size() > 1 || !staged_[0].expected ||
                                           answered != *staged_[0].expected + 1);
  close(repeated ? Outcome::repeated : Outcome::done);
}

void UnitOfWork::abandon() noexcept {
  if (outcome_ != Outcome::open) return;
  if (session_ && (reading_ || mode_ == Mode::writing)) session_->rollback();
  close(mode_ == Mode::readonly ? Outcome::done : Outcome::failed);
}

void UnitOfWork::close(Outcome outcome) noexcept {
  outcome_ = outcome;
  reading_ = false;
  session_.reset();
  staged_ = {};
  snapshots_ = {};
  types_ = {};
}

}  // namespace evercore::detail
