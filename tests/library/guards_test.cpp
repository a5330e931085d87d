// What the library's guards against functions that are almost right let through; compile_fail/ has what
// they do not.
#include <doctest/doctest.h>

#include "harness.h"

using namespace evercore;
using harness::Fresh;

namespace {

struct Counted {
  std::int64_t by = 1;
};
struct Reset {};
struct Closed {};
struct Noted {
  std::string remark;
  static constexpr bool changes_state = false;
};

struct Counter {
  std::int64_t total = 0;
  bool open = true;

  Counter& apply(Counted event) {  // by value, and giving itself
    total += event.by;
    return *this;
  }
  template <class E>
  requires std::is_same_v<E, Reset>
  void apply(const E&) { total = 0; }
  void validate(const Counted& event) const { check(event.by); }

 private:
  static void check(std::int64_t by) {
    if (by < 0) throw refused_error("less than nothing");
  }
};
// A private overload of its own, and no event that it could be meant for.
class Helped {
  void apply(std::int64_t by) { total += by; }

 public:
  void apply(const Counted& event) { apply(event.by); }
  std::int64_t total = 0;
};
static_assert(detail::check_reached<Helped, Counted>());

using CounterAggregate = StateAggregate<Counter, Counted, Reset, Closed, Noted>;

// An aggregate that is its events alone.
struct Stream {};
struct Added {
  std::int64_t count = 1;
};
using StreamAggregate = StateAggregate<Stream, Added, Noted>;

// A state that takes everything.
struct Tally {
  std::int64_t events = 0;
  void apply(const auto&) { ++events; }
};
using TallyAggregate = StateAggregate<Tally, Counted, Reset, Noted>;

}  // namespace

TEST_CASE("events that fold by value, by template, not at all, or into nothing are as they were") {
  Fresh store;
  store->with_context([](Context& ctx) {
    auto counter = ctx.create<CounterAggregate>();
    counter.apply(Counted{5});
    CHECK(counter->total == 5);
    counter.apply(Noted{"a remark"});
    counter.apply(Closed{});
    counter.apply(Reset{});
    CHECK(counter->total == 0);
    CHECK_THROWS_AS(counter.apply(Counted{-1}), refused_error);
  });
  store->with_context([](Context& ctx) {
    auto stream = ctx.create<StreamAggregate>();
    stream.apply(Added{2});
    stream.apply(Noted{"seen"});
  });
}

TEST_CASE("a state may take every event by one apply()") {
  Fresh store;
  store->with_context([](Context& ctx) {
    auto tally = ctx.create<TallyAggregate>();
    tally.apply(Counted{});
    tally.apply(Noted{});
    CHECK(tally->events == 2);
  });
}
