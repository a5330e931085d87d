// A call of the surface: how it is spelled, what it takes, and what the contract answers.
//
// A capability joins the simulator by one file that gives its calls, and a line in calls.cpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "simulate/model.h"
#include "simulate/random.h"

namespace evercore::simulate {

using Argument = std::variant<std::monostate, Number, std::string>;
using Arguments = std::vector<Argument>;

/// What a connection remembers beside its transaction: the head that its last empty fetch saw.
struct Seen {
  Number token;
  Number cursor;  ///< where it began
  Number head;
  Text filter;
  std::size_t depth =
      0;  ///< of what a rollback takes back: 1 in a transaction, and 1 a savepoint; else 0
  bool wrote = true;  ///< the transaction had changed something by then
  bool open = false;  ///< it had not, and was rolled back: what was seen may be forgotten or not
};
using Memory = std::map<std::pair<std::string, Number>, Seen>;  ///< by subscription and partition

/// Where a call stands.
struct Scene {
  Store& store;           ///< as the connection sees it, and changes it
  Memory& memory;         ///< of the connection
  Number now;             ///< by the machine's clock
  Number safe;            ///< the position up to which followers may read
  bool again = false;     ///< answered before: what others began since comes after it
  std::size_t depth = 0;  ///< of what is written and not committed, as in Seen
  bool wrote = true;      ///< likewise
};

/// Thrown by a call of which the contract leaves open what it answers: it is passed over.
struct Undecided {};

using Rows = std::vector<std::string>;  ///< columns parted by |, NULL for NULL

/// Makes arguments by chance, most of them right.
struct Maker {
  Random& random;
  const Store& store;
  Number now;

  Argument id();
  std::string type();
  std::string key();
  std::string event_type();
  Argument time();
  std::string object(int depth);
  std::string data();
  Argument expected(Number version);
  std::string name();
  Argument token(const std::string& name);
  Argument start();
  Argument filter();
  Argument position();  ///< for an ack
  Argument some(std::initializer_list<Argument> values) { return random.pick(values); }
  /// A sequence of that aggregate, mostly.
  Argument sequence(const Argument& id);
  Number version(const Argument& id);
  Argument tags();
  Argument upcast();
  /// The event's columns event_type, data, reference, metadata, event_time, event_id, tags.
  Arguments event();
};

struct Call {
  std::string name;  ///< of the function or relation
  int weight;        ///< how often it comes
  bool writes;
  std::string columns;  ///< of a table function or relation; empty: a scalar function
  std::string
      kinds;  ///< a letter for each column of the answer: t as it is, j JSON of the engine's
  std::function<Arguments(Maker&)> make;
  std::function<Rows(Scene&, const Arguments&)> answer;
  std::function<std::string(const Arguments&)> sql = {};  ///< where it is not spelled as usual
  bool runs_on_postgres = true;
};

/// All of them.
const std::vector<Call>& calls();
/// Which of these functions and relations are evercore's, and of no call.
std::vector<std::string> never_called_of(const Rows& names);
/// Whether it declares something of a type.
bool declares(const Call& call);
/// One of them by chance and weight; without `declarations`, none that declares anything.
const Call& pick_call(Random& random, bool declarations);
/// Whether there are declarations in the episode of that seed: in every second one. Appends to a store without any go
/// shorter ways.
inline bool has_declarations(std::uint64_t seed) {
  return seed % 2 == 0;
}
std::vector<Call> store_calls();
std::vector<Call> aggregate_calls();
std::vector<Call> append_calls();
std::vector<Call> read_calls();
std::vector<Call> query_calls();
std::vector<Call> fold_calls();
std::vector<Call> schema_calls();
std::vector<Call> upcast_calls();
std::vector<Call> rename_calls();
std::vector<Call> snapshot_calls();
std::vector<Call> subscription_calls();
std::vector<Call> lease_calls();

/// What a shell takes.
std::string sql_of(const Call& call, const Arguments& arguments);
std::string literal(const Argument& argument);

// What the calls share in reading arguments and writing rows.
std::optional<Number> number(const Argument& argument);
Text text(const Argument& argument);
std::string cell(const Text& text);
std::string cell(std::optional<Number> number);
std::string row(std::initializer_list<std::string> cells);
std::string joined(const Rows& rows);                               ///< a line each
void check_payload(const std::string& argument, const Text& json);  ///< EV004
/// What an append_many with a condition answers; in calls_append.cpp. `refuse_by_condition` throws.
Rows append_many_if(Scene& scene, const Arguments& arguments,
                    const std::function<void()>& refuse_by_condition);
Arguments make_appends(Maker& maker);
/// One event of a type, data and tags alone to an aggregate by its id: the engines have shorter ways for it.
Arguments make_plain_append(Maker& maker);
std::string appends_as_json(const Arguments& arguments);

/// Where the events of a type come to fold otherwise: EV010, or their engine snapshots are gone.
void change_states_of(Store& store, const std::string& type);

extern const char* const log_columns;
std::string log_row(const Store& store, const Event& event);

}  // namespace evercore::simulate
