// Old events in new programs: pinned names, aliases, upcasts, required members, snapshots of other
// versions.
#include <doctest/doctest.h>

#include "harness.h"

using namespace evercore;
using harness::another_program;
using harness::fault_of;
using harness::Fresh;

namespace {

// The program of the first year.
namespace first {
struct PersonCreated {
  std::string name;
};
struct PersonMoved {
  std::string place;
};
struct Person {
  std::string name;
  std::string place;
  static constexpr std::int64_t snapshot_every = 2;
};
using PersonAggregate = StateAggregate<Person, PersonCreated, PersonMoved>;
}  // namespace first

// The program of today: renamed structs, split names, an address in place of a text.
namespace today {
struct Created1 {
  std::string name;
  static constexpr std::string_view event_type = "PersonCreated";
};
struct Created2 {
  std::string given, family;
  static constexpr std::string_view event_type = "person-created-2";
  static Created2 upcast(const Created1& old) {
    const auto blank = old.name.find(' ');
    return {old.name.substr(0, blank), blank == old.name.npos ? "" : old.name.substr(blank + 1)};
  }
};
struct Created {
  std::string given, family;
  std::int64_t letters = 0;
  static constexpr std::string_view event_type = "person-created-3";
  static constexpr std::string_view required[] = {"given", "letters"};
  static Created upcast(Created2 old) {
    const auto letters = static_cast<std::int64_t>(old.given.size() + old.family.size());
    return {std::move(old.given), std::move(old.family), letters};
  }
};
struct Moved {
  std::string place;
  std::int64_t distance = -1;
  static constexpr std::string_view event_type = "moved";
  static constexpr std::string_view aliases[] = {"PersonMoved", "PersonWent"};
};
struct Human {
  std::string given, family, place;
  std::int64_t letters = 0;
  std::int64_t distance = 0;
  static constexpr std::string_view aggregate_type = "Person";
};
using PersonAggregate = StateAggregate<Human, Created, Moved>;
}  // namespace today

}  // namespace

TEST_CASE("events of the first year are read by today's program") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto person = ctx.create<first::PersonAggregate>("p");
    person.apply(first::PersonCreated{"Ann Lee"});
    person.apply(first::PersonMoved{"Rome"});
    ctx.publish(person.id(), {"PersonWent", R"({"place":"Oslo"})"}, 2);
    return person.id();
  });
  EventStore now = another_program(store.store);
  now.with_context([&](Context& ctx) {
    auto person = ctx.load<today::PersonAggregate>(id);  // over a snapshot of another version
    CHECK(person->given == "Ann");
    CHECK(person->family == "Lee");
    CHECK(person->letters == 6);
    CHECK(person->place == "Oslo");
    CHECK(person->distance == 0);  // no event in the store says anything else
    person.apply(today::Created{"Bo", "Ek", 4});
    CHECK(ctx.find<today::PersonAggregate>("p") == id);
  });
  now.with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<today::PersonAggregate>(id)->letters == 4);
    CHECK(ctx.events(id).at(3).event_type == "person-created-3");
    CHECK(decode_event<today::Created>(ctx.events(id).at(0))->letters == 6);
  });
}

TEST_CASE("a faulty event is named with field, event and position") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto person = ctx.create<today::PersonAggregate>();
    person.apply(today::Moved{"Rome"});
    ctx.publish(person.id(), {"person-created-3", R"({"given":"Ann"})"});
    return person.id();
  });
  const auto position = std::to_string(store->follow(0).at(1).position);
  const auto place =
      " at position " + position + " (aggregate " + std::to_string(id) + ", sequence 2): ";
  const auto load = [&](ReadonlyContext& ctx) { ctx.load<today::PersonAggregate>(id); };
  CHECK(fault_of<decode_error>([&] { store->with_readonly_context(load); }) ==
        "event \"person-created-3\"" + place + "field \"letters\": is required and missing");
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    try {
      decode_event<today::Created>(ctx.events(id).at(1));
      FAIL("decoded");
    } catch (const decode_error& fault) {
      CHECK(fault.field() == "letters");
    }
  });
}

TEST_CASE("an event that is not listed is an error, unless the state says otherwise") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto person = ctx.create<today::PersonAggregate>();
    ctx.publish(person.id(), {"Surprise", "{}"});
    return person.id();
  });
  CHECK(fault_of<decode_error>([&] {
          store->with_readonly_context(
              [&](ReadonlyContext& ctx) { ctx.load<today::PersonAggregate>(id); });
        }).find("it is not among the events of Person") != std::string::npos);
}

namespace {
struct Bumped {
  std::int64_t by = 1;
};
namespace wrong {
struct Counter {
  std::int64_t total = 0;
  void apply(const Bumped& e) { total += e.by * 1000; }
  static constexpr std::int64_t snapshot_every = 5;
  static constexpr std::int64_t state_version = 1;
};
}  // namespace wrong
namespace right {
struct Counter {
  std::int64_t total = 0;
  void apply(const Bumped& e) { total += e.by; }
  static constexpr std::int64_t snapshot_every = 5;
  static constexpr std::int64_t state_version = 2;
  static constexpr bool ignore_unknown_events = true;
};
}  // namespace right
}  // namespace

TEST_CASE("snapshots are taken every so many events and used by their own version alone") {
  Fresh store;
  using Wrong = StateAggregate<wrong::Counter, Bumped>;
  using Right = StateAggregate<right::Counter, Bumped>;
  const auto id = store->with_context([](Context& ctx) {
    auto counter = ctx.create<Wrong>();
    for (int i = 0; i < 13; ++i) counter.apply(Bumped{});
    return counter.id();
  });
  struct Probe final : Aggregate {
    explicit Probe(std::int64_t version) : fixed{"Counter", {}, version, 0, false} {}
    const AggregateType& type() const noexcept override { return fixed; }
    void clear() override { base = 0; }
    void fold(const StoredEvent&) override { ++events; }
    void decode_state(std::string_view json) override { base = 1, state = json; }
    AggregateType fixed;
    int base = 0, events = 0;
    std::string state;
  };
  EventStore later = another_program(store.store);
  later.with_context([&](Context& ctx) {
    Probe first(1), second(2);
    ctx.load_into(first, id);
    CHECK(first.base == 1);
    CHECK(first.events == 3);
    CHECK(first.state == R"({"total":10000})");
    ctx.load_into(second, id);
    CHECK(second.base == 0);
    CHECK(second.events == 13);
    auto right = ctx.load<Right>(id);
    CHECK(right->total == 13);
    ctx.publish(id, {"Other", "{}"});
    ctx.save_snapshot(right);
  });
  later.with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<Right>(id)->total == 13);
    Probe second(2);
    ctx.load_into(second, id);
    CHECK(second.events == 1);
  });
}

TEST_CASE("the default state version changes with the members and with nothing else") {
  struct A {
    std::string name;
    std::optional<std::int64_t> age;
  };
  const auto base = detail::state_version<A>();
  {
    struct Renamed {
      std::string title;
      std::optional<std::int64_t> age;
    };
    struct Retyped {
      std::string name;
      std::optional<std::string> age;
    };
    struct Same {
      std::string name;
      std::optional<std::int32_t> age;
      int doubled() const { return age.value_or(0) * 2; }
    };
    CHECK(detail::state_version<Renamed>() != base);
    CHECK(detail::state_version<Retyped>() != base);
    CHECK(detail::state_version<Same>() == base);
  }
  CHECK(base > 0);
}

namespace {
struct Adder {
  std::int64_t by = 0;
};
using Adding = StateAggregate<Adder, Bumped>;
}  // namespace

TEST_CASE("one event cannot be state here and custom there") {
  Fresh store;
  store->warmup<StateAggregate<right::Counter, Bumped>>();
  CHECK(
      fault_of<usage_error>([&] {
        store->warmup<Adding>();
      }).starts_with("event \"Bumped\" folds by merge in \"Adder\" and by custom in \"Counter\""));
}

TEST_CASE("of the snapshots that a context saves of one aggregate each version's last one stays") {
  struct Probe final : Aggregate {
    explicit Probe(std::int64_t version) : fixed{"Counter", {}, version, 0, false} {}
    const AggregateType& type() const noexcept override { return fixed; }
    void clear() override {}
    void fold(const StoredEvent&) override {}
    std::string encode_state() const override { return state; }
    void decode_state(std::string_view json) override { state = json; }
    AggregateType fixed;
    std::string state = "{}";
  };
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    Probe made(1);
    ctx.create_into(made, "one");
    ctx.publish(made.id(), {"Other", "{}"});
    return made.id();
  });
  store->with_context([&](Context& ctx) {
    Probe first(1), second(2);
    ctx.load_into(first, id);
    ctx.load_into(second, id);
    first.state = R"({"of":1,"early":true})";
    ctx.save_snapshot(first);
    second.state = R"({"of":2})";
    ctx.save_snapshot(second);
    first.state = R"({"of":1})";
    ctx.save_snapshot(first);
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    Probe first(1), second(2);
    ctx.load_into(first, id);
    ctx.load_into(second, id);
    CHECK(first.state == R"({"of":1})");
    CHECK(second.state == R"({"of":2})");
  });
}

namespace {

struct Seen {};

struct Quiet {
  static constexpr std::int64_t snapshot_every = 0;
  std::int64_t seen = 0;
  void apply(const Seen&) { ++seen; }
};

}  // namespace

TEST_CASE("a state that wants no snapshots gets none, however many its events are") {
  Fresh store;
  using QuietAggregate = StateAggregate<Quiet, Seen>;
  store->with_context([](Context& ctx) {
    auto quiet = ctx.create<QuietAggregate>("q");
    for (int i = 0; i < 250; ++i) quiet.apply(Seen{});
  });
  std::int64_t snapshots = -1;
  auto sink = [&](const Row& row) { snapshots = row.integer(0); };
  store->with_context([&](Context& ctx) {
    ctx.execute("SELECT count(*) FROM " + store.place.relation("evercore_snapshot"), {}, sink);
    CHECK(ctx.load<QuietAggregate>("q")->seen == 250);
  });
  CHECK(snapshots == 0);
}
