#include "simulate/both/world.h"

#include <algorithm>
#include <stdexcept>

#include "../../../ext/evercore.h"
#include "simulate/disk.h"

namespace evercore::simulate {

std::string spelled(const Action& action) {
  return sql_of(action);
}

namespace both {

namespace {

using postgres::comparable;
using postgres::difference;

constexpr std::size_t columns_of_insert = 13;

/// On SQLite a message may end with the place of a fault.
std::string without_place(const std::string& message) {
  const std::size_t at = message.rfind(" at byte ");
  return at == std::string::npos ? message : message.substr(0, at);
}

std::string said(const Reply& reply) {
  return reply.ok() ? joined(reply.rows) : reply.message;
}

/// SQLite takes the rows of an INSERT one by one, and names the first at fault.
bool names_any_fault(const Action& step) {
  return step.call->kinds.empty() && step.arguments.size() != columns_of_insert;
}

}  // namespace

World::World(postgres::Server& server, std::uint64_t seed)
    : server_(server), declarations_(has_declarations(seed)) {
  machine_time = 1790000000'000000;
  server_.set_clock(machine_time);
  sqlite3* db = nullptr;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
      sqlite3_evercore_init(db, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error("SQLite does not open");
  sqlite_.reset(db);
  server_.make_store();
  postgres_ = std::make_unique<postgres::Session>(server_.uri());
  const Reply migrated = on_sqlite("SELECT evercore_migrate()");
  if (!migrated.ok()) throw std::runtime_error(migrated.message);
}

Reply World::on_sqlite(const std::string& sql, const std::string& kinds) {
  Reply reply;
  sqlite3_stmt* statement = nullptr;
  int rc = sqlite3_prepare_v2(sqlite_.get(), sql.c_str(), -1, &statement, nullptr);
  while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      const auto at = static_cast<std::size_t>(i);
      const bool json = text != nullptr && at < kinds.size() && kinds[at] == 'j';
      row += (i > 0 ? "|" : "") + (text == nullptr ? "NULL"
                                   : json          ? canonical(parse_json(text))
                                                   : std::string(text));
    }
    reply.rows.push_back(row);
    rc = SQLITE_OK;
  }
  if (rc != SQLITE_DONE && rc != SQLITE_OK)
    reply = {std::to_string(rc), without_place(sqlite3_errmsg(sqlite_.get())), {}};
  sqlite3_finalize(statement);
  return reply;
}

Reply World::on_postgres(const std::string& sql, const std::string& kinds) {
  if (before_.empty()) return postgres_->run(sql, kinds);
  postgres_->run("SAVEPOINT call");
  const Reply reply = postgres_->run(sql, kinds);
  postgres_->run(reply.ok() ? "RELEASE call" : "ROLLBACK TO call; RELEASE call");
  return reply;
}

World::Complaint World::do_both(const std::string& sql) {
  const Reply here = on_sqlite(sql), there = postgres_->run(sql);
  if (here.ok() && there.ok()) return std::nullopt;
  return sql + ": " + here.message + there.message;
}

/// Sets PostgreSQL's sequences to where the model stands, if they stand elsewhere.
void World::line_up(const Action& step) {
  const auto to = [](const std::string& sequence, Number value) {
    return "SELECT setval(" + sequence + ", greatest(1, " + std::to_string(value) + "), " +
           (value > 0 ? "true" : "false") + ") WHERE coalesce(pg_sequence_last_value(" + sequence +
           "), 0) <> " + std::to_string(value) + ";";
  };
  Number token = store_.least_token;  // SQLite counts them for each subscription
  for (const auto& [name, subscription] : store_.subscriptions)
    token = std::max(token, subscription.last_token);
  if (step.call != nullptr && step.call->name == "evercore_claim") {
    const auto found = store_.subscriptions.find(text(step.arguments[0]).value_or(""));
    if (found != store_.subscriptions.end()) token = found->second.last_token;
  }
  // What the session itself has drawn would be remembered.
  const Reply reply = postgres_->run(
      "DISCARD SEQUENCES;" + to("'evercore_event_position_seq'::regclass", store_.head) +
      to("pg_get_serial_sequence('evercore_aggregate', 'aggregate_id')::regclass",
         store_.newest_id) +
      to("'_evercore_token'::regclass", token) +
      "SELECT setval('_evercore_highest', m & -17592186044416 | " + std::to_string(store_.head) +
      ") FROM pg_sequence_last_value('_evercore_highest'::regclass) m"
      " WHERE m & 17592186044415 > " +
      std::to_string(store_.head));
  if (!reply.ok()) throw std::runtime_error(reply.message);
}

std::optional<std::string> World::take(const Action& step) {
  ++steps_;
  machine_time += 1000 + (step.kind == Action::Kind::clock ? step.number : 0);
  server_.set_clock(machine_time);
  Complaint complaint = step.kind == Action::Kind::call ? call(step) : turn(step);
  if (!complaint && steps_ % 16 == 0) complaint = look();
  return complaint;
}

World::Complaint World::call(const Action& step) {
  const Call& call = *step.call;
  const Store before = store_;
  const Memory memory = memory_;
  line_up(step);
  Scene scene{store_, memory_, machine_time, before_.empty() ? store_.head : before_[0].head};
  Rows expected;
  std::optional<Refusal> refusal;
  try {
    expected = comparable(call, call.answer(scene, step.arguments));
  } catch (const Refusal& refused) {
    refusal = refused;
    store_ = before;
    memory_ = memory;
  }
  const std::string sql = sql_of(call, step.arguments);
  Reply here = on_sqlite(sql, call.kinds), there = on_postgres(sql, call.kinds);
  here.rows = comparable(call, here.rows);
  there.rows = comparable(call, there.rows);
  for (const char c : said(here))
    digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  if (here.ok() != there.ok() || (here.ok() && here.rows != there.rows))
    return "SQLite beside PostgreSQL: " + difference(said(here), said(there));
  if (!refusal) {
    if (here.ok() && here.rows == expected) return std::nullopt;
    return "the model beside both engines: " + difference(joined(expected), said(here));
  }
  if (here.ok())
    return "the model beside both engines: " + difference(refusal->messages[0], said(here));
  return compare(step, *refusal, here.message, there.message);
}

/// Both engines have refused. They say the same, unless the contract leaves open which of several faults is named.
World::Complaint World::compare(const Action& step, const Refusal& refusal, const std::string& here,
                                const std::string& there) {
  const auto& right = refusal.messages;
  const auto is_right = [&](const std::string& message) {
    return std::find(right.begin(), right.end(), message) != right.end();
  };
  if (is_right(here) && is_right(there)) return std::nullopt;
  // The model says the faults of an INSERT without their rows.
  const bool is_insert =
      step.call->kinds.empty() && here.starts_with("EV0") && there.starts_with("EV0");
  if (is_insert && (here == there || names_any_fault(step))) return std::nullopt;
  if (here != there) return "SQLite beside PostgreSQL: " + difference(here, there);
  return "the model beside both engines: " + difference(right[0], here);
}

World::Complaint World::turn(const Action& step) {
  using Kind = Action::Kind;
  const auto level = static_cast<std::size_t>(step.number) + 1;
  switch (step.kind) {
    case Kind::begin:
      if (!before_.empty()) return std::nullopt;
      before_ = {store_};
      return do_both("BEGIN");
    case Kind::savepoint:
      if (before_.empty() || before_.size() > 4 || before_.size() != level) return std::nullopt;
      before_.push_back(store_);
      return do_both(sql_of(step));
    case Kind::rollback_to:
      if (before_.size() <= level) return std::nullopt;
      before_.resize(level + 1);
      store_ = before_.back();
      return do_both(sql_of(step));
    case Kind::release:
      if (before_.size() <= level) return std::nullopt;
      before_.resize(level);
      return do_both(sql_of(step));
    case Kind::commit:
    case Kind::rollback:
      if (before_.empty()) return std::nullopt;
      if (step.kind == Kind::rollback) store_ = before_[0];
      before_.clear();
      return do_both(sql_of(step));
    case Kind::maintain:
      return before_.empty() ? do_both(step.sql) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> World::look() {
  Store copy = store_;
  Memory memory;
  Scene scene{copy, memory, machine_time, copy.head};
  line_up({});
  for (const Call& call : calls()) {
    if (call.name != "evercore_log" && call.name != "evercore_aggregates" &&
        call.name != "evercore_subscriptions" && call.name != "evercore_stats")
      continue;
    const std::string expected = joined(comparable(call, call.answer(scene, {})));
    for (const bool on_file : {true, false}) {
      const std::string sql = sql_of(call, {});
      const Reply reply = on_file ? on_sqlite(sql, call.kinds) : on_postgres(sql, call.kinds);
      const std::string found = reply.ok() ? joined(comparable(call, reply.rows)) : reply.message;
      if (found != expected)
        return "the store on " + std::string(on_file ? "SQLite" : "PostgreSQL") +
               " is not as it must be: " + difference(expected, found);
    }
  }
  return std::nullopt;
}

}  // namespace both

}  // namespace evercore::simulate
