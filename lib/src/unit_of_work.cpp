#include "unit_of_work.h"

#include <algorithm>
#include <limits>

#include "declarations.h"
#include "evercore/error.h"
#include "statements.h"

namespace evercore::detail {

namespace {

// No state has this version: replaying with it starts from what compaction kept, or from nothing.
constexpr std::int64_t no_version = std::numeric_limits<std::int64_t>::min();

// The columns of the replay statements; in the base row, the type and the id of the aggregate stand
// in for those of an event.
enum ReplayColumn {
  replay_sequence,
  replay_event_type,
  replay_aggregate_type = replay_event_type,
  replay_data,
  replay_position,
  replay_aggregate_id = replay_position,
  replay_key,
  replay_event_time,
  replay_recorded_at,
  replay_reference,
  replay_metadata
};

std::optional<std::string> optional_text(const Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return std::string(row.text(column));
}

[[noreturn]] void fail_type(std::int64_t id, std::string_view found, std::string_view wanted) {
  throw type_mismatch_error("aggregate " + std::to_string(id) + " is of type \"" +
                            std::string(found) + "\", not \"" + std::string(wanted) + "\"");
}

}  // namespace

UnitOfWork::UnitOfWork(std::shared_ptr<StoreCore> core, bool readonly)
    : core_(std::move(core)), mode_(readonly ? Mode::readonly : Mode::staging) {}

UnitOfWork::~UnitOfWork() {
  abandon();
}

Session& UnitOfWork::reading() {
  if (outcome_ != Outcome::open) throw usage_error("the context has ended");
  if (!session_) session_ = core_->engine->session();
  if (!reading_ && mode_ != Mode::writing) {
    session_->begin_read();
    reading_ = true;
  }
  return *session_;
}

Session& UnitOfWork::writing() {
  if (outcome_ != Outcome::open) throw usage_error("the context has ended");
  if (mode_ == Mode::writing) return *session_;
  // A snapshot that has been read from cannot be written on: others may have moved on since.
  end_reading();
  declare_types();
  if (!session_) session_ = core_->engine->session();
  session_->begin_write();
  mode_ = Mode::writing;
  return *session_;
}

void UnitOfWork::end_reading() noexcept {
  if (reading_) session_->rollback();
  reading_ = false;
}

// A type is declared before its first events are written, in a transaction of its own, so that the declaration stays when the context is rolled back.
void UnitOfWork::will_write(const AggregateType& type) {
  if (std::find(types_.begin(), types_.end(), &type) != types_.end() || core_->knows(type)) return;
  core_->meet(type);
  // Inside a write transaction there can be no second one; what is declared here is not remembered.
  if (mode_ == Mode::writing)
    session_->run(declarations_of(type, *session_, Present::stays).commands);
  types_.push_back(&type);
}

void UnitOfWork::declare_types() {
  for (const AggregateType* type : types_) {
    if (!core_->knows(*type)) core_->declare(*type, std::move(session_));
  }
}

void UnitOfWork::belongs(Aggregate& aggregate) {
  aggregate.work_ = shared_from_this();
}

template <class Sink>
void UnitOfWork::replay(const Aggregate& aggregate, std::int64_t id,
                        std::optional<std::string_view> key, std::int64_t version, Sink&& sink) {
  const AggregateType& type = aggregate.type();
  core_->meet(type);
  if (key) {
    reading().run(Command(type.needs_info ? statements::replay_key_info : statements::replay_key,
                          {type.name, *key, version}, sink));
  } else {
    reading().run(Command(type.needs_info ? statements::replay_info : statements::replay,
                          {id, version}, sink));
  }
}

// Takes one row of a replay. Events after `up_to` are passed over.
void UnitOfWork::take_row(Aggregate& aggregate, const Row& row, bool base, std::int64_t up_to) {
  const AggregateType& type = aggregate.type();
  const std::int64_t sequence = row.integer(replay_sequence);
  if (base) {
    aggregate.id_ = row.integer(replay_aggregate_id);
    if (row.text(replay_aggregate_type) != type.name) {
      fail_type(aggregate.id_, row.text(replay_aggregate_type), type.name);
    }
    aggregate.natural_key_ = optional_text(row, replay_key);
    aggregate.sequence_ = sequence;
    if (sequence > up_to) return;
    if (sequence == 0) {
      aggregate.clear();
      return;
    }
    try {
      aggregate.decode_state(row.text(replay_data));
    } catch (const decode_error& fault) {
      throw decode_error("state of aggregate " + std::to_string(aggregate.id_) + " at sequence " +
                             std::to_string(sequence) + ": " + fault.what(),
                         fault.field());
    }
    return;
  }
  if (sequence > up_to) return;
  StoredEvent event{row.text(replay_event_type), row.text(replay_data), {}};
  event.info.aggregate_id = aggregate.id_;
  event.info.sequence = sequence;
  event.info.position = row.integer(replay_position);
  if (type.needs_info) {
    event.info.event_time = row.time(replay_event_time);
    event.info.recorded_at = row.time(replay_recorded_at);
    if (!row.is_null(replay_reference)) event.info.reference = row.text(replay_reference);
    if (!row.is_null(replay_metadata)) event.info.metadata = row.text(replay_metadata);
  }
  aggregate.fold(event);
  aggregate.sequence_ = sequence;
}

void UnitOfWork::load(Aggregate& aggregate, std::int64_t id) {
  bool base = true;
  replay(aggregate, id, std::nullopt, aggregate.type().state_version, [&](const Row& row) {
    take_row(aggregate, row, std::exchange(base, false), std::numeric_limits<std::int64_t>::max());
  });
  aggregate.as_of_ = false;
  belongs(aggregate);
}

void UnitOfWork::load(Aggregate& aggregate, std::string_view natural_key) {
  bool base = true;
  try {
    replay(aggregate, 0, natural_key, aggregate.type().state_version, [&](const Row& row) {
      take_row(aggregate, row, std::exchange(base, false),
               std::numeric_limits<std::int64_t>::max());
    });
  } catch (const not_found_error&) {
    throw not_found_error("EV002: no aggregate of type \"" + std::string(aggregate.type().name) +
                          "\" with natural key \"" + std::string(natural_key) + "\"");
  }
  aggregate.as_of_ = false;
  belongs(aggregate);
}

void UnitOfWork::load_at(Aggregate& aggregate, std::int64_t id, std::int64_t sequence) {
  if (sequence < 0) {
    throw argument_error("EV009: sequence is out of range: " + std::to_string(sequence));
  }
  // From the newest snapshot when it is old enough, else from as far back as the events go.
  for (const std::int64_t version : {aggregate.type().state_version, no_version}) {
    bool base = true;
    replay(aggregate, id, std::nullopt, version,
           [&](const Row& row) { take_row(aggregate, row, std::exchange(base, false), sequence); });
    if (aggregate.sequence_ <= sequence) break;
  }
  if (aggregate.sequence_ > sequence) {
    throw not_found_error("EV002: sequence " + std::to_string(sequence) + " of aggregate " +
                          std::to_string(id) + " was compacted: the oldest that can be read is " +
                          std::to_string(aggregate.sequence_));
  }
  if (aggregate.sequence_ < sequence) {
    throw not_found_error("EV002: aggregate " + std::to_string(id) + " has no sequence " +
                          std::to_string(sequence) + ": it is at " +
                          std::to_string(aggregate.sequence_));
  }
  aggregate.as_of_ = true;
  belongs(aggregate);
}

std::optional<std::int64_t> UnitOfWork::find(const AggregateType& type,
                                             std::string_view natural_key) {
  core_->meet(type);
  std::optional<std::int64_t> id;
  auto sink = [&](const Row& row) {
    if (!row.is_null(0)) id = row.integer(0);
  };
  reading().run(Command(statements::find, {type.name, natural_key}, sink));
  return id;
}

void UnitOfWork::create(Aggregate& aggregate, std::optional<std::string_view> natural_key) {
  const AggregateType& type = aggregate.type();
  require_writable();
  will_write(type);
  std::int64_t id = 0;
  auto sink = [&](const Row& row) { id = row.integer(0); };
  writing().run(Command(statements::create,
                        {type.name, natural_key ? Parameter(*natural_key) : Parameter()}, sink));
  aggregate.clear();
  aggregate.id_ = id;
  aggregate.sequence_ = 0;
  aggregate.natural_key_ = natural_key;
  aggregate.as_of_ = false;
  belongs(aggregate);
}

void UnitOfWork::load_or_create(Aggregate& aggregate, std::string_view natural_key) {
  const AggregateType& type = aggregate.type();
  require_writable();
  if (const auto id = find(type, natural_key)) return load(aggregate, *id);
  will_write(type);
  std::int64_t id = 0;
  auto sink = [&](const Row& row) { id = row.integer(0); };
  writing().run(Command(statements::ensure, {type.name, natural_key}, sink));
  load(aggregate, id);  // another may have made it, and appended, a moment ago
}

void UnitOfWork::change_key(Aggregate& aggregate, std::string_view new_key) {
  adopt(aggregate);
  writing().run(Command(statements::rekey, {aggregate.id_, new_key}));
  aggregate.natural_key_ = new_key;
}

}  // namespace evercore::detail
