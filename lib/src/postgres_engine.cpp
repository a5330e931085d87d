#include "postgres_engine.h"

#include "evercore/error.h"
#include "evercore/store.h"

namespace evercore::detail {

namespace {

constexpr Statement installed_version{
    "SELECT count(*) FROM pg_catalog.pg_proc p"
    " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = $1 AND p.proname = 'evercore_version'",
    "t"};
constexpr Statement store_version{"SELECT {}evercore_version()", ""};

void replace_all(std::string& text, std::string_view mark, const std::string& by) {
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
}

// "1.10.0" is newer than "1.9.2".
bool is_older(std::string_view left, std::string_view right) {
  const auto take = [](std::string_view& text) {
    int number = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      number = number * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
    return number;
  };
  while (!left.empty() || !right.empty()) {
    const int l = take(left), r = take(right);
    if (l != r) return l < r;
  }
  return false;
}

}  // namespace

PostgresEngine::PostgresEngine(const PostgresOptions& options)
    : options_(options), pool_(options.pool_size, options.busy_timeout) {
  auto session = std::make_unique<PostgresSession>(options_);
  if (options_.migrate) install(*session);
  pool_.take();
  pool_.give_back(std::move(session));
}

// Runs the scripts where there is no store yet or an older one. Whoever connects to a store that is
// up to date needs no more rights than to use it.
void PostgresEngine::install(PostgresSession& session) {
  const auto is_current = [&] {
    bool found = false;
    auto count_sink = [&](const Row& row) { found = row.integer(0) > 0; };
    session.run(Command(installed_version, {std::string_view(options_.schema)}, count_sink));
    if (!found) return false;
    bool older = false;
    auto version_sink = [&](const Row& row) {
      older = is_older(row.text(0), postgres_bundle_version);
    };
    session.run(Command(store_version, {}, version_sink));
    return !older;
  };
  if (is_current()) return;
  std::string script;
  for (const char* const* piece = postgres_bundle; *piece != nullptr; ++piece) script += *piece;
  if (script.empty())
    throw migration_error("EV008: this build has no scripts for PostgreSQL", "EV008");
  if (options_.schema.size() > 63 - std::string_view("_writer").size()) {
    throw argument_error("EV009: the schema's name is too long for its roles to be named after it");
  }
  replace_all(script, "@extschema@", quote_identifier(options_.schema));
  for (const char* role : {"owner", "writer", "reader"}) {
    replace_all(script, std::string("@") + role + "@",
                quote_identifier(options_.schema + "_" + role));
  }
  // Several programs may start at once; the key is evercore's for installations.
  session.execute_script("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7310868735422460787)");
  if (is_current()) return session.execute_script("ROLLBACK");
  session.execute_script(script + "\n;COMMIT");
}

std::unique_ptr<PostgresSession> PostgresEngine::connect_patiently() {
  const auto since = std::chrono::steady_clock::now();
  for (int attempt = 1;; ++attempt) {
    try {
      return std::make_unique<PostgresSession>(options_);
    } catch (const connection_error&) {
      if (std::chrono::steady_clock::now() - since >= options_.reconnect) throw;
    }
    wait_before(attempt + 1, std::chrono::milliseconds{10}, std::chrono::milliseconds{500});
  }
}

SessionHandle PostgresEngine::session(Pool<PostgresSession>::For purpose) {
  auto session = pool_.take(purpose);
  try {
    if (session && !session->alive()) session.reset();
    if (!session) session = connect_patiently();
  } catch (...) {
    pool_.forget();
    throw;
  }
  return SessionHandle(session.release(), SessionReturn{this});
}

void PostgresEngine::give_back(Session* session) noexcept {
  std::unique_ptr<PostgresSession> connection(static_cast<PostgresSession*>(session));
  if (connection->finish()) return pool_.give_back(std::move(connection));
  connection.reset();
  pool_.forget();
}

PostgresNotifier* PostgresEngine::notifier() noexcept {
  if (!options_.notify) return nullptr;
  const std::lock_guard lock(notifier_mutex_);
  try {
    if (!notifier_) notifier_ = std::make_unique<PostgresNotifier>(options_, signal());
  } catch (...) {
    return nullptr;  // runners poll then
  }
  return notifier_.get();
}

void PostgresEngine::appended() noexcept {
  signal().raise();
  if (PostgresNotifier* notifier = this->notifier()) notifier->appended();
}

std::unique_ptr<Watch> PostgresEngine::watch() {
  if (PostgresNotifier* notifier = this->notifier()) notifier->listen();
  return StorageEngine::watch();
}

void PostgresEngine::write(SessionHandle session, std::span<const Command> commands) {
  if (!session) session = this->session();
  static_cast<PostgresSession&>(*session).write(commands);
}

std::shared_ptr<StorageEngine> postgres_engine(const PostgresOptions& options) {
  return std::make_shared<PostgresEngine>(options);
}

}  // namespace evercore::detail
