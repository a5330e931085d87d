// PostgreSQL as a storage engine: a pool of connections that finds its way back to a lost server.
#ifndef EVERCORE_SRC_POSTGRES_ENGINE_H
#define EVERCORE_SRC_POSTGRES_ENGINE_H

#include "pool.h"
#include "postgres_notifier.h"
#include "postgres_session.h"

namespace evercore::detail {

// The SQL that installs a store, with its marks (see sql/bundle), compiled in; and the version it
// is of.
extern const char* const postgres_bundle[];
extern const char* const postgres_bundle_version;

class PostgresEngine final : public StorageEngine {
 public:
  explicit PostgresEngine(const PostgresOptions& options);
  std::string_view name() const noexcept override { return "postgres"; }
  bool snapshots_take_queries() const noexcept override { return false; }  // commits may come late
  SessionHandle session() override { return session(Pool<PostgresSession>::For::itself); }
  SessionHandle session_beside() override { return session(Pool<PostgresSession>::For::beside); }
  void write(SessionHandle session, std::span<const Command> commands) override;
  void appended() noexcept override;
  std::unique_ptr<Watch> watch() override;

 protected:
  void give_back(Session* session) noexcept override;

 private:
  SessionHandle session(Pool<PostgresSession>::For purpose);
  std::unique_ptr<PostgresSession> connect_patiently();
  void install(PostgresSession& session);
  // Made when it is first needed; none when it is not wanted or cannot be had.
  PostgresNotifier* notifier() noexcept;

  PostgresOptions options_;
  Pool<PostgresSession> pool_;
  std::mutex notifier_mutex_;
  std::unique_ptr<PostgresNotifier> notifier_;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_POSTGRES_ENGINE_H
