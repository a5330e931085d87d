// A simulated server with one store, and sessions on it. What differs from SQLite's world is the sharing: every
// statement sees what others have committed by then, many write at once, and who meets another's lock waits.
//
// So a transaction is here no copy of the store but the list of its calls: what it sees is the store as it is
// committed now, with these calls done once more. The engine's locks must see to it that they come out the same.
//
// Sequences stand outside of transactions. The newest position, id and token are therefore read from the engine
// before each call, and the model goes on from there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulate/action.h"
#include "simulate/postgres/session.h"

namespace evercore::simulate {

std::string spelled(const Action& action);  ///< with its session

namespace postgres {

/// The newest that sequences gave.
struct Drawn {
  Number position = 0, aggregate = 0, token = 0;
};

/// The server that tests/postgres/with_server started, its clock, and the standby that may take its place. Where there is
/// one, a session that says so waits with each commit until the standby shows it.
class Server {
 public:
  Server();
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A database with an empty store, a copy of one that was made once.
  void make_store();
  [[nodiscard]] std::string uri() const { return uri_of("store"); }
  void set_clock(Number microseconds);
  void crash();
  void make_standby();
  void fail_over();
  [[nodiscard]] bool has_standby() const { return has_standby_; }
  /// What pg_amcheck says of the store's tables and indexes: nothing where they are whole.
  [[nodiscard]] std::string damage() const;

 private:
  /// A directory of the data and one of the socket.
  struct Place {
    std::string data, socket;
  };
  [[nodiscard]] std::string uri_of(const std::string& database) const;
  [[nodiscard]] std::string control(const Place& place) const;
  void make_pattern();
  void start(const Place& place);
  void remove_standby();

  Place place_, other_;
  bool has_standby_ = false;
  bool pattern_is_old_ = false;  ///< made on another timeline, on which positions began anew
  std::int64_t* clock_;
};

class World {
 public:
  World(Server& server, std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Action make(Random& random);
  /// Does a step. What is wrong then, or nothing.
  std::optional<std::string> take(const Action& step);
  /// Whether the whole store is as it must be.
  std::optional<std::string> look();
  [[nodiscard]] std::vector<std::string> never_called();
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  using Complaint = std::optional<std::string>;
  struct State {
    Store store;
    Memory memory;
  };
  struct Done {
    const Call* call;
    Arguments arguments;
    Number now, safe;
    Drawn drawn;
    std::optional<Number> floor = {};  ///< below which followers stop until the transaction ends
    std::map<Number, std::string> keys = {};  ///< what a key meant when an append began that waited
    bool claimed = false;                     ///< a partition, which a pause does not take away
  };
  struct Transaction {
    std::vector<Done> done = {};
    std::vector<std::size_t> savepoints = {};  ///< how many were done at each
    bool failed = false;
    [[nodiscard]] std::span<const Done> alive() const;
  };
  struct Client {
    std::unique_ptr<Session> session;
    std::optional<Transaction> transaction = {};
    std::optional<Done> waiting = {};  ///< sent, and met a lock
    State seen = {};                   ///< when that was sent
    bool guards =
        false;  ///< takes a savepoint before each call, and goes back to it where that is refused
  };

  std::unique_ptr<Session> connect();
  void open(Client& client);
  Complaint go_on(const std::string& what);
  [[nodiscard]] State seen_by(const Client& client) const;
  static Rows apply(State& state, const Done& done, bool again = false);
  [[nodiscard]] Number safe() const;
  void hold_where_it_began(Done& done, Number sent);
  Drawn read_drawn();

  Complaint act(const Action& step);
  class Limit;
  Complaint call(const Action& step);
  Reply run_out(Client& client);
  Complaint finish(Client& client, Done done, const Reply& reply, bool waited);
  static Number made_before(Client& client, const State& before, const State& after);
  static Number drawn_before(Client& client, const State& before, const State& after);
  Complaint agree(Client& client, Done& done, const Reply& reply, bool waited, State& after,
                  bool& refused);
  static bool is_refused(State state, const Done& done, const Reply& reply);
  Complaint agree_by_keys(Client& client, Done& done, const Reply& reply, bool waited, State& after,
                          bool& refused);
  Complaint agree_with(Client& client, Done& candidate, const Reply& reply, bool waited,
                       State& after, bool& refused);
  Complaint settle();
  Complaint turn(const Action& step);
  Complaint end(Client& client, bool commits);
  Complaint kill(Client& client);
  Complaint crash();
  Complaint follow();
  Complaint fail_over();
  Complaint maintain(const Action& step);
  [[nodiscard]] bool is_left_out(const Client& client, const Call& call) const;
  void note(const Reply& reply);

  Server& server_;
  bool declarations_;
  std::unique_ptr<Session> witness_;
  std::vector<Client> clients_;
  State committed_ = {};
  Drawn drawn_ = {};
  Number now_ = 1790000000'000000;
  Number steps_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

}  // namespace postgres
}  // namespace evercore::simulate
