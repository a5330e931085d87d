// What a large store is asked, on either engine: evercore beside tables by hand that hold the same events, and both beside
// themselves with 100,000 events, so that a row says how it grows.
#pragma once

#include <cstdint>
#include <string>

#include "harness.h"

namespace bench {

/// How large a store is: events in turns over aggregates of ten each; every tenth event bears a tag, each tag on a
/// hundred events.
struct Size {
  std::int64_t events;
  [[nodiscard]] std::int64_t aggregates() const { return events / 10; }
  [[nodiscard]] std::int64_t tags() const { return events / 1000; }

  /// 10 M, or $EVERCORE_BENCH_EVENTS; a multiple of 1,000.
  static Size large();
  static Size small() { return {100'000}; }
};

/// Digits in threes; millions as "10 M".
[[nodiscard]] std::string spelled(std::int64_t number);

/// Says on a line of its own how far a filling has come, from 0 to `all`.
void progress(const std::string& store, std::int64_t done, std::int64_t all);

/// One store of one kind and what it is asked; each call dies with a message where the answer is not what was filled in.
class Side {
 public:
  explicit Side(Size size) : size_(size) {}
  virtual ~Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  [[nodiscard]] Size size() const { return size_; }
  /// An aggregate, another at each call, far from the one before.
  std::int64_t next_aggregate();

  virtual void append(std::int64_t aggregate) = 0;  ///< one event in a transaction of its own
  virtual void state(std::int64_t aggregate) = 0;
  virtual std::int64_t follow(std::int64_t after) = 0;   ///< a page of 1,000; gives how many came
  virtual std::int64_t query(std::int64_t tag) = 0;      ///< gives how many events bear it
  virtual std::int64_t head() = 0;                       ///< the newest position
  virtual std::int64_t catch_up(std::int64_t from) = 0;  ///< reads to the head by 1,000
  virtual std::int64_t check() = 0;                      ///< gives how many problems there are
  virtual void stats() = 0;

 private:
  Size size_;
  std::int64_t walked_ = 0;
};

/// The same work, at two sizes.
struct Pair {
  Side& small;
  Side& large;
};

/// Asks all of the four in turns, and reports evercore beside the tables by hand and each beside itself at 100,000 events.
void ask_all(Report& report, Pair by_hand, Pair evercore);

/// One of each question but the check, in which a side shows how much memory it takes.
void use_once(Side& side);

}  // namespace bench
