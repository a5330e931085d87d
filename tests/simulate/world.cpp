#include "simulate/world.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "../../ext/evercore.h"

namespace evercore::simulate {

namespace {

using Kind = Step::Kind;

/// On SQLite a message may end with the place of a fault.
std::string without_place(const std::string& message) {
  const std::size_t at = message.rfind(" at byte ");
  return at == std::string::npos ? message : message.substr(0, at);
}

/// FNV-1a.
void add_to(std::uint64_t& digest, const std::string& text) {
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

bool is_of_the_world(int code) {
  static const std::set<int> codes = {SQLITE_BUSY,     SQLITE_LOCKED,   SQLITE_IOERR,
                                      SQLITE_FULL,     SQLITE_CANTOPEN, SQLITE_NOMEM,
                                      SQLITE_PROTOCOL, SQLITE_ABORT};
  return codes.count(code & 0xff) > 0;
}

}  // namespace

Settings::Settings(std::uint64_t of) : seed(of) {
  Random random(seed ^ 0x5e771465);
  journal_mode = random.pick<std::string>({"WAL", "WAL", "WAL", "DELETE", "TRUNCATE", "PERSIST"});
  synchronous = random.pick<std::string>({"FULL", "FULL", "EXTRA", "NORMAL"});
  // With a rollback journal NORMAL may leave half a transaction when the power goes: SQLite says so.
  if (journal_mode != "WAL" && synchronous == "NORMAL") synchronous = "FULL";
  sessions = static_cast<std::size_t>(random.between(1, 4));
  page_size = random.pick<Number>({512, 1024, 4096});
  cache_pages = random.pick<Number>({5, 20, 2000});
  checkpoint_pages = random.pick<Number>({2, 20, 1000});
  trouble_percent = random.pick({0, 2, 10});
}

bool Settings::is_durable() const {
  if (journal_mode == "WAL") return synchronous != "NORMAL";
  return synchronous == "EXTRA";
}

std::string Settings::pragmas() const {
  // A SQLite as old as Debian 12's may lose a commit of the write-ahead log in a crash, where pages left a full
  // cache before a ROLLBACK TO of the same transaction: its frames keep no checksums. Later ones do not.
  const bool loses = journal_mode == "WAL" && sqlite3_libversion_number() < 3053000;
  const std::string spill = loses ? "PRAGMA cache_spill=OFF; " : "";
  return spill + "PRAGMA page_size=" + std::to_string(page_size) +
         "; PRAGMA journal_mode=" + journal_mode + "; PRAGMA synchronous=" + synchronous +
         "; PRAGMA cache_size=" + std::to_string(cache_pages) +
         "; PRAGMA wal_autocheckpoint=" + std::to_string(checkpoint_pages) + ";";
}

World::World(const Settings& settings)
    : settings_(settings), disk_(settings.seed), sessions_(settings.sessions) {
  machine_time = 1790000000'000000;
  for (Session& session : sessions_) open(session);
  const Reply reply = run(sessions_[0].db, "SELECT evercore_migrate()");
  if (!reply.ok()) throw std::runtime_error("evercore_migrate: " + reply.message);
  run(sessions_[0].db, "PRAGMA wal_checkpoint(TRUNCATE)");
  disk_.settle();
  earlier_.push_back(committed_);
}

World::~World() {
  for (Session& session : sessions_) close(session);
}

void World::open(Session& session) {
  if (sqlite3_open_v2("store", &session.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      disk_.vfs()) != SQLITE_OK ||
      sqlite3_evercore_init(session.db, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error("the store does not open");
  }
  settle(session);
}

// Not while another's transaction lets nobody in: then before its next step. A connection without them would
// keep a journal that outlives a loss of power in another way.
void World::settle(Session& session) {
  session.is_settled =
      sqlite3_exec(session.db, settings_.pragmas().c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

void World::close(Session& session) {
  session.looks.clear();
  if (sqlite3_close(session.db) != SQLITE_OK)
    throw std::runtime_error("a connection does not close");
  Session closed;
  closed.attempts = session.attempts + 1;
  session = std::move(closed);
}

World::Reply World::run(sqlite3* db, const std::string& sql, const std::string& kinds) {
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v2(db, sql.c_str(), -1, &stmt, nullptr);
  const Reply reply = rows_of(db, stmt, rc, kinds);
  sqlite3_finalize(stmt);
  return reply;
}

/// `rc`: what the statement was prepared with.
World::Reply World::rows_of(sqlite3* db, sqlite3_stmt* stmt, int rc, const std::string& kinds) {
  Reply reply;
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(stmt); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt, i));
      const bool json = text != nullptr && static_cast<std::size_t>(i) < kinds.size() &&
                        kinds[static_cast<std::size_t>(i)] == 'j';
      row += (i > 0 ? "|" : "") + (text == nullptr ? "NULL"
                                   : json          ? canonical(parse_json(text))
                                                   : std::string(text));
    }
    add_to(digest_, row);
    reply.rows.push_back(row);
    rc = SQLITE_OK;
  }
  if (rc != SQLITE_DONE && rc != SQLITE_OK) {
    reply.code = sqlite3_extended_errcode(db);
    reply.message = sqlite3_errmsg(db);
    add_to(digest_, reply.message);
  }
  return reply;
}

std::vector<std::string> World::never_called() {
  const Reply all =
      run(sessions_[0].db,
          "SELECT name FROM pragma_function_list UNION SELECT name FROM pragma_module_list"
          " UNION SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name");
  return never_called_of(all.rows);
}

std::optional<std::string> World::take(const Step& step) {
  ++steps_;
  machine_time += 1000;
  if (Session& session = sessions_[step.session]; !session.is_settled && !session.transaction)
    settle(session);
  if (step.trouble != Trouble::none) disk_.arm(step.trouble, step.trouble_at);
  const Store before = committed_;
  Complaint complaint;
  switch (step.kind) {
    case Kind::call:
      complaint = call(step);
      break;
    case Kind::maintain:
      complaint = maintain(step);
      break;
    case Kind::clock:
      machine_time += step.number;
      break;
    case Kind::reopen:
      complaint = reopen(step);
      break;
    case Kind::backup:
    case Kind::restore:
      disk_.peace();
      complaint = step.kind == Kind::backup ? maintain(step) : restore();
      break;
    default:
      complaint = turn(step);
  }
  if (!complaint && disk_.is_dead()) complaint = after_death(step, {committed_});
  disk_.peace();
  return complaint;
}

void World::start(Session& session) {
  Transaction& transaction = *session.transaction;
  if (transaction.started) return;
  transaction.started = true;
  transaction.view = committed_;
  for (Store& savepoint : transaction.savepoints) savepoint = committed_;
  transaction.start_head = committed_.head;
  transaction.attempts = attempts_of_others(session);
  transaction.generation = generation_;
}

void World::adopt(Store after, bool changed) {
  if (!changed) return;
  undead_.clear();
  committed_ = std::move(after);
  ++generation_;
  if (!settings_.is_durable()) earlier_.push_back(committed_);
}

bool World::others_in_transaction(const Session& session) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const Session& other) { return &other != &session && other.transaction; });
}

Number World::attempts_of_others(const Session& session) const {
  Number sum = 0;
  for (const Session& other : sessions_) sum += &other == &session ? 0 : other.attempts;
  return sum;
}

bool World::may_be_stale(const Session& session) const {
  return session.transaction && session.transaction->started &&
         session.transaction->attempts != attempts_of_others(session);
}

bool World::is_stale(const Session& session) const {
  return session.transaction && session.transaction->started &&
         session.transaction->generation != generation_;
}

World::Complaint World::excuse(const Session& session, const Reply& reply) {
  if (happened_ || disk_.is_dead()) return std::nullopt;
  // A savepoint began the transaction, in a file that was empty when the connection read it last: rolling
  // back to it would empty the file again, and ends the transaction instead.
  if (reply.code == SQLITE_ABORT_ROLLBACK && session.transaction &&
      session.transaction->by_savepoint && sqlite3_get_autocommit(session.db) != 0) {
    return std::nullopt;
  }
  if (is_busy(reply.code) && (others_in_transaction(session) || may_be_stale(session)))
    return std::nullopt;
  return "failed for no reason: " + std::to_string(reply.code) + " " + reply.message;
}

World::Complaint World::call(const Step& step) {
  Session& session = sessions_[step.session];
  auto& transaction = session.transaction;
  std::optional<Transaction> unstarted;
  if (transaction && !transaction->started) {
    unstarted = transaction;
    start(session);
  }
  Store after = transaction ? transaction->view : committed_;
  const Store before = after;
  Memory memory = session.memory;
  Scene scene{after, memory, machine_time, transaction ? transaction->start_head : after.head};
  if (transaction && sqlite3_txn_state(session.db, "main") == SQLITE_TXN_WRITE) {
    scene.depth = 1 + transaction->savepoints.size();
    scene.wrote = transaction->changed;
  }
  std::optional<Rows> rows;
  std::optional<Refusal> refusal;
  try {
    rows = step.call->answer(scene, step.arguments);
  } catch (const Refusal& refused) {
    refusal = refused;
    after = before;
    memory = session.memory;
  } catch (const Undecided&) {
    if (unstarted) transaction = unstarted;
    disk_.peace();
    return std::nullopt;
  }
  session.attempts += step.call->writes ? 1 : 0;
  Reply reply = run(session.db, sql_of(*step.call, step.arguments), step.call->kinds);
  const bool dead = disk_.is_dead();
  happened_ = disk_.peace();
  // SQLite cannot look whether the schema it knows is still the newest while another's commit waits, nor where
  // its first read fails.
  if (reply.message.starts_with("no such table") &&
      (dead || happened_ || settings_.journal_mode != "WAL")) {
    reply.code = SQLITE_BUSY;
  }
  if (!reply.ok() && is_of_the_world(reply.code)) {
    if (auto complaint = excuse(session, reply)) return complaint;
    if (dead)
      return after_death(step, transaction ? std::vector{committed_} : std::vector{before, after});
    if (transaction && sqlite3_get_autocommit(session.db) != 0) {
      roll_back(session);  // by SQLite itself
      return look(session, committed_);
    }
    if (unstarted && sqlite3_txn_state(session.db, "main") == SQLITE_TXN_NONE)
      transaction = unstarted;
    if (transaction && step.call->writes) transaction->may_hold_lock = true;
    if (transaction) return transaction->started ? look(session, transaction->view) : std::nullopt;
    return happened_ && step.call->writes ? resolve_failed(before, after)
                                          : look(session, committed_);
  }
  const bool is_insert = step.call->kinds.empty();
  if (reply.ok() && is_insert && transaction && happened_ &&
      sqlite3_get_autocommit(session.db) != 0) {
    roll_back(session);
    return done_alone(step);
  }
  if (auto complaint =
          compare(step, reply, after, rows ? &*rows : nullptr, refusal ? &*refusal : nullptr))
    return complaint;
  session.memory = memory;
  if (transaction) {
    if (sqlite3_get_autocommit(session.db) != 0) {
      if (!happened_ && !dead) return "the transaction is gone";
      roll_back(session);  // the call was refused, and its own rollback failed
      return std::nullopt;
    }
    transaction->changed = transaction->changed || !(transaction->view == after);
    transaction->view = after;
    if (step.call->writes) transaction->may_hold_lock = true;
    if (unstarted && sqlite3_txn_state(session.db, "main") == SQLITE_TXN_NONE) {
      transaction = unstarted;  // it was refused before it read anything
    } else if (!disk_.is_dead() && (refusal || steps_ % 8 == 0)) {
      return look(session, transaction->view);
    }
  } else if (step.call->writes && !refusal) {
    adopt(after, !(after == before));
    if (!disk_.is_dead() && steps_ % 8 == 0) return look(session, committed_);
  }
  return std::nullopt;
}

World::Complaint World::compare(const Step& step, const Reply& reply, const Store& after,
                                const Rows* rows, const Refusal* refusal) {
  const Session& session = sessions_[step.session];
  const bool is_insert = step.call->kinds.empty();
  if (refusal != nullptr) {
    if (reply.ok()) return "expected " + refusal->messages[0] + "\nanswered " + joined(reply.rows);
    const bool code_alone = is_insert && reply.message.starts_with("EV0");
    const auto& right = refusal->messages;
    if (code_alone ||
        std::find(right.begin(), right.end(), without_place(reply.message)) != right.end())
      return std::nullopt;
    return "expected " + right[0] + "\nanswered " + reply.message;
  }
  if (!reply.ok())
    return "expected " + joined(*rows) + "\nanswered " + std::to_string(reply.code) + " " +
           reply.message;
  if (reply.rows != *rows) return "expected\n" + joined(*rows) + "answered\n" + joined(reply.rows);
  const Store& before = session.transaction ? session.transaction->view : committed_;
  if (step.call->writes && after.head != before.head && is_stale(session))
    return "written on a snapshot that is not the newest";
  return std::nullopt;
}

bool World::is_shut_out(const std::string& dump) const {
  if (settings_.journal_mode == "WAL") return false;
  if (std::none_of(sessions_.begin(), sessions_.end(),
                   [](const Session& session) { return session.transaction.has_value(); })) {
    return false;
  }
  return dump.find("database is locked") != std::string::npos ||
         dump.find("no such table") != std::string::npos;
}

World::Complaint World::look(Session& session, const Store& store) {
  const std::string expected = dump(store), actual = dump(session);
  if (expected == actual) return std::nullopt;
  // Where a commit waits for readers to go, no new ones come in.
  if (is_shut_out(actual)) return std::nullopt;
  return "the store is not as it must be: expected\n" + expected + "found\n" + actual;
}

World::Complaint World::maintain(const Step& step) {
  Session& session = sessions_[step.session];
  if (session.transaction) return std::nullopt;
  if (step.kind == Kind::backup) {
    Session copy;
    disk_.files.erase("copy");
    sqlite3_open_v2("copy", &copy.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk_.vfs());
    sqlite3_backup* backup = sqlite3_backup_init(copy.db, "main", session.db, "main");
    const int rc = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (rc == SQLITE_DONE)
      copy_ = committed_;
    else
      copy_.reset();
    close(copy);
    return std::nullopt;
  }
  ++session.attempts;
  const Reply reply = run(session.db, step.sql);
  happened_ = disk_.peace();
  if (!reply.ok() && !is_of_the_world(reply.code)) return step.sql + ": " + reply.message;
  if (!reply.ok()) {
    if (auto complaint = excuse(session, reply)) return complaint;
  }
  return disk_.is_dead() ? std::nullopt : look(session, committed_);
}

World::Complaint World::reopen(const Step& step) {
  disk_.peace();
  Session& session = sessions_[step.session];
  close(session);
  open(session);
  return std::nullopt;
}

World::Complaint World::restore() {
  if (!copy_) return std::nullopt;
  for (Session& session : sessions_) close(session);
  disk_.replace("store", "copy");
  for (Session& session : sessions_) open(session);
  earlier_.clear();
  adopt(*copy_, true);
  Step step;
  for (const Call& call : calls()) {
    if (call.name == "evercore_restored") step.call = &call;
  }
  return call(step);
}

}  // namespace evercore::simulate
