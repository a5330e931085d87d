// One store on each engine, one connection to each, and one model: whatever is done is done on all three.
//
// The engines count alike but for one thing: what a refused call or a rollback drew is left out for good on
// PostgreSQL, and given again on SQLite. Before each call the sequences of PostgreSQL are therefore set to where the
// model stands, so that a seed's ids, positions and tokens are the same numbers on both.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulate/action.h"
#include "simulate/postgres/session.h"
#include "simulate/postgres/world.h"

namespace evercore::simulate::both {

using postgres::Reply;

class World {
 public:
  World(postgres::Server& server, std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// A step that makes sense now.
  Action make(Random& random);
  /// Does it. What is wrong then, or nothing.
  std::optional<std::string> take(const Action& step);
  /// Whether both stores are as the model's.
  std::optional<std::string> look();
  /// A number made of all answers.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  using Complaint = std::optional<std::string>;
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };

  Reply on_sqlite(const std::string& sql, const std::string& kinds = {});
  /// In a transaction under a savepoint: a refusal ends the call alone, as it does on SQLite.
  Reply on_postgres(const std::string& sql, const std::string& kinds = {});
  /// A statement that is none of the surface, on both.
  Complaint do_both(const std::string& sql);
  void line_up(const Action& step);

  Complaint call(const Action& step);
  static Complaint compare(const Action& step, const Refusal& refusal, const std::string& here,
                           const std::string& there);
  Complaint turn(const Action& step);

  postgres::Server& server_;
  bool declarations_;
  std::unique_ptr<sqlite3, Close> sqlite_;
  std::unique_ptr<postgres::Session> postgres_;
  Store store_;
  Memory memory_;
  /// The store as it was at BEGIN, and at each savepoint.
  std::vector<Store> before_;
  Number steps_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

}  // namespace evercore::simulate::both
