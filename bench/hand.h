// evercore beside a table as most people would write it, from C: the questions of bench/peers/questions.mjs, how long a single
// append waits while checkpoints run, what an event writes to the write-ahead log, and how much memory it takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness.h"

namespace bench {

struct Event {
  std::string id, type, data;
};

/// A kind of event store. A stream's version is the number of its events.
class Keeper {
 public:
  explicit Keeper(std::string name) : name_(std::move(name)) {}
  virtual ~Keeper() = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// All in one transaction, which fails unless the stream is at `version`.
  virtual void append(const std::string& stream, const std::vector<Event>& events,
                      std::int64_t version) = 0;
  virtual std::int64_t read(const std::string& stream) = 0;  ///< gives how many events it has
  /// Folds by replacing members; gives how many the state has.
  virtual std::int64_t state(const std::string& stream) = 0;
  virtual void checkpoint() = 0;
  /// Bytes written to the write-ahead log since the last checkpoint(), after which none runs by itself.
  virtual double written() = 0;

  /// Appends `count` new events at the version that was kept.
  void append(const std::string& stream, int count);

 private:
  std::string name_;
  std::map<std::string, std::int64_t> versions_;
  std::int64_t made_ = 0;
};

/// A fold in the program: the members of each document replace those of the ones before.
class Fold {
 public:
  void add(std::string_view document);
  [[nodiscard]] std::int64_t members() const { return static_cast<std::int64_t>(state_.size()); }

 private:
  std::map<std::string, std::string, std::less<>> state_;
};

/// The argument of evercore_append_many that does what append() says.
[[nodiscard]] std::string append_many_call(const std::string& stream,
                                           const std::vector<Event>& events, std::int64_t version);

struct Keepers {
  Keeper& by_hand;
  Keeper& evercore;
};

void ask_speed(Report& report, Keepers keepers);
/// Checkpoints must be running.
void ask_waits(Report& report, Keepers keepers);
void ask_log(Report& report, Keepers keepers);
/// What a keeper does whose memory is looked at.
void use_once(Keeper& keeper);

}  // namespace bench
