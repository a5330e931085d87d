// The contract as a model in memory: what a store is, and the rules that several calls share. What
// each call answers stands with the call (calls_*.cpp).
//
// Everything is a plain value: a transaction is a copy of the store, a rollback drops it. A call
// that refuses throws, and the copy it worked on is dropped as well, so that no call here can leave
// anything half done.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulate/json.h"

namespace evercore::simulate {

using Number = std::int64_t;
using Text = std::optional<std::string>;  ///< or NULL

/// A call that the contract refuses. Where it leaves open which fault is named, all right messages.
struct Refusal {
  std::vector<std::string> messages;
};
[[noreturn]] void refuse(int code, const std::string& text);

enum class Fold { merge, patch, custom, rules };
/// The rules that the simulator declares; fold() in model.cpp says what they do.
inline constexpr const char* declared_rules =
    R"([{"add":{"/sum/{/a}":"/b"}},{"set":{"/last":"/c"}},{"remove":["/a/a"]}])";

/// An event that is to be appended.
struct NewEvent {
  Text type, data, reference, metadata, id;
  std::optional<Number> time;
  std::vector<std::string> tags = {};
};

struct Event {
  bool operator==(const Event&) const = default;

  Number aggregate, sequence, position;
  std::string type, data;
  std::shared_ptr<const Json> value;
  Text reference, metadata, id;
  Number time, recorded;
  std::string content;  ///< the data that was appended, whatever erasure made of it
  bool removed = false;
  std::vector<std::string> tags = {};
  std::size_t declared = 0;  ///< how many of the leading ones were derived

  /// Whether it bears all of them.
  [[nodiscard]] bool bears(const std::vector<std::string>& wanted) const;
};

struct Aggregate {
  bool operator==(const Aggregate&) const = default;

  Number id;
  std::string type;
  Text key;
  Number version = 0;
  Number base = 0;
  bool erased = false;
  std::optional<Number> first_time, last_time, compacted_time;
  std::map<Number, Json> snapshots;                        ///< of the engine, by sequence
  std::map<Number, std::map<Number, Json>> own_snapshots;  ///< of the application, by version
  std::map<std::string, Number> compacted;  ///< event type → the newest position removed
};

struct Policy {
  bool operator==(const Policy&) const = default;

  Number every = 0;
  Number keep = 1;
};

struct Filter {
  Text aggregate_type, natural_key;
  std::vector<std::string> event_types;
  std::vector<std::string> tags = {};

  bool operator==(const Filter&) const = default;
  [[nodiscard]] Text text() const;  ///< nothing where everything passes
};

/// A JSON array of texts without escapes: the texts; and the other way, NULL where there are none.
std::vector<std::string> read_texts(const std::string& json);
Text texts_as_json(const std::vector<std::string>& texts);

Filter read_filter(const Text& json);  ///< of a text that Filter::text() wrote

struct Partition {
  bool operator==(const Partition&) const = default;

  Number position = 0;
  Number token = 0;
  Text owner, error;
  Number lease = 0;
  Number expires = 0;
};

struct Subscription {
  bool operator==(const Subscription&) const = default;

  Filter filter;
  std::vector<Partition> partitions;
  Number start = 0;
  Number last_token = 0;
  bool active = true;
  bool repartitionable = false;
  bool removed = false;
};

struct Store {
  bool operator==(const Store&) const = default;

  std::map<Number, Aggregate> aggregates;       ///< by id
  std::vector<Event> events;                    ///< by position
  std::map<std::string, Policy> policies;       ///< by aggregate type; a type that is known is here
  std::map<std::string, Fold> folds;            ///< by event type, likewise
  std::set<std::string> merges;                 ///< event types that were declared to merge
  std::map<std::string, std::string> declared;  ///< by event type: prefixes and pointers, as JSON
  std::map<std::string, std::string> schemas;   ///< by event type: of its data
  std::map<std::string, std::string> state_schemas;  ///< by aggregate type: of its states
  std::map<std::string, std::string> upcasts;        ///< by event type
  std::map<std::string, Subscription> subscriptions;
  Number newest_id = 0;  ///< ever given to an aggregate
  Number head = 0;       ///< the newest position ever given
  Number least_token = 0;
  bool types_indexed = false;

  /// Whether the same is declared of all types.
  [[nodiscard]] bool declares_as(const Store& other) const;

  // Aggregates. EV002 where there is none, or where it was erased.
  Aggregate& known(std::optional<Number> id);
  Aggregate& open(std::optional<Number> id);
  [[nodiscard]] const Aggregate& of(const Event& event) const {
    return aggregates.at(event.aggregate);
  }
  [[nodiscard]] Aggregate* find(const std::string& type, const std::string& key);
  Number add(const std::string& type, const Text& key);
  Number ensure(const std::string& type, const std::string& key);

  // Events.
  [[nodiscard]] std::vector<Event*> kept(const Aggregate& aggregate, Number after = 0);
  [[nodiscard]] const Event* with_id(const std::string& event_id) const;
  /// One event more, without a question; with it the snapshot of a policy where `snapshots`.
  Event& write(Aggregate& aggregate, const NewEvent& event, Number now);
  void snapshot_if_due(Aggregate& aggregate, Number before);
  /// Gives it what its type declares and it lacks, behind the derived tags that it has.
  void tag(Event& event) const;
  /// Its data in the shape of today; in calls_upcast.cpp.
  [[nodiscard]] std::shared_ptr<const Json> today(const Event& event) const;
  /// What the type's schema says of data; in calls_schema.cpp.
  [[nodiscard]] Text fault_of(const std::string& type, const Text& data) const;
  /// The EV011 of an aggregate's state at its version; likewise.
  [[nodiscard]] Text fault_of_state(const Aggregate& aggregate);
  [[nodiscard]] bool keeps_state(const Aggregate& aggregate) const {
    return !aggregate.erased && aggregate.version > 0 && state_schemas.count(aggregate.type) > 0;
  }

  // States.
  [[nodiscard]] Json state(const Aggregate& aggregate, Number sequence);
  void drop_engine_snapshots(Aggregate& aggregate, Number keep);
  [[nodiscard]] bool has_custom(const Aggregate& aggregate) const;  ///< among what was compacted

  // Subscriptions.
  Subscription& subscription(const std::string& name);
  [[nodiscard]] bool passes(const Filter& filter, const Aggregate& aggregate,
                            const std::string& type) const;
  [[nodiscard]] bool passes(const Subscription& subscription, const Event& event,
                            Number partition) const;
  [[nodiscard]] std::vector<const Event*> unread(const Subscription& subscription,
                                                 Number partition) const;
  /// EV010 where a subscription has not read what stands at or below `sequence`.
  void require_read(const Aggregate& aggregate, Number sequence) const;
};

/// EV005 for a name that is missing, empty or too long.
void check_name(const Text& name, const std::string& argument, std::size_t most);
inline constexpr std::size_t longest_type = 255;
inline constexpr std::size_t longest_key = 255;

Json fold(Fold how, Json state, const Json& data);
/// What a declared upcast makes of data; in calls_upcast.cpp.
Json upcast(const std::string& declared, Json data);

/// 2026-11-21T22:10:41.123456Z
std::string time_text(Number microseconds);
/// The other way, for texts of that form and for `YYYY-MM-DDThh:mm:ssZ`; nothing for any other text.
std::optional<Number> parse_time(const std::string& text);
/// Or EV009, for the argument of that name.
Number require_time(const std::string& text, const std::string& argument);

}  // namespace evercore::simulate
