// The fold in C++ and the fold in SQL are one fold.
#include <doctest/doctest.h>

#include <random>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using harness::Fresh;

namespace {

enum class Level { low, middle, high };

struct Spot {
  double x = 0;
  std::optional<std::string> label;
  bool operator==(const Spot&) const = default;
};

struct Begun {
  std::string title;
  std::int32_t count = 3;
  std::optional<double> ratio = 0.5;  // preset: emptied, it is written as null
  std::vector<std::string> tags{};
};
struct Moved {
  std::optional<Spot> spot{};
  std::optional<std::int64_t> count{};
  std::optional<Level> level{};
  std::optional<std::map<std::string, std::int64_t>> sums{};
  std::string not_in_the_state{};
};
struct Tagged {
  std::vector<std::string> tags{};
  std::variant<std::string, std::int64_t> either{};
};
struct Rung {
  std::int64_t times = 1;
};
// Custom events that SQL folds by rules.
struct Counted {
  std::string key;
  std::int64_t times = 0;
  double weight = 0;
  std::optional<std::string> seen{};
};
struct Cleared {
  std::vector<std::int64_t> taken{};
};

struct Thing {
  std::string title;
  std::int64_t count = 0;
  double ratio = 0;
  std::vector<std::string> tags;
  std::optional<Spot> spot;
  std::optional<Level> level;
  std::map<std::string, std::int64_t> sums;
  std::variant<std::string, std::int64_t> either;
  std::optional<std::string> only_raw;
  bool operator==(const Thing&) const = default;

  // A member that no state event sets: SQL's state does not have it.
  std::int64_t rings = 0;
  void apply(const Rung& rung) { rings += rung.times; }

  void apply(const Counted& counted) {
    sums[counted.key] += counted.times;
    ratio += counted.weight;
    tags.push_back(counted.key);
    if (counted.seen) only_raw = counted.seen;
  }
  static constexpr std::string_view fold_rules(const Counted&) {
    return R"([{"add":{"/sums/{/key}":"/times","/ratio":"/weight"}},
               {"append":{"/tags":"/key"}}, {"set":{"/only_raw":"/seen"}}])";
  }
  void apply(const Cleared& cleared) {
    spot.reset();
    title = "cleared";
    if (!cleared.taken.empty()) count -= cleared.taken.front();
  }
  static constexpr std::string_view fold_rules(const Cleared&) {
    return R"([{"remove":["/spot"]}, {"set":{"/title":{"value":"cleared"}}},
               {"subtract":{"/count":"/taken/0"}}])";
  }
  static constexpr std::int64_t snapshot_every = 7;
};
using ThingAggregate = StateAggregate<Thing, Begun, Moved, Tagged, Rung, Counted, Cleared>;

std::string random_text(std::mt19937& random) {
  static const std::string pieces[] = {"a", "é", "\"", "\\", "\n", "😀", "null", " "};
  std::string text;
  for (auto n = random() % 5; n > 0; --n) text += pieces[random() % std::size(pieces)];
  return text;
}

double random_number(std::mt19937& random) {
  static const double numbers[] = {0.0, -1.5, 0.1, 1e-7, 3.0, 1e15, 123456.789, 1e21, -2.5e300};
  return numbers[random() % std::size(numbers)];
}

void random_event(Context& ctx, ThingAggregate& thing, std::mt19937& random) {
  const auto chance = [&] { return random() % 2 == 0; };
  switch (random() % 6) {
    case 0: {
      Begun event{random_text(random), static_cast<std::int32_t>(random() % 1000)};
      if (chance()) event.ratio = random_number(random);
      if (chance()) event.ratio.reset();
      if (chance()) event.tags = {random_text(random)};
      return ctx.apply(thing, event);
    }
    case 1: {
      Moved event;
      if (chance()) event.spot = Spot{random_number(random), {}};
      if (chance()) event.spot = Spot{1, random_text(random)};
      if (chance()) event.count = static_cast<std::int64_t>(random()) << 20;
      if (chance()) event.level = static_cast<Level>(random() % 3);
      if (chance()) event.sums = std::map<std::string, std::int64_t>{{random_text(random), 5}};
      return ctx.apply(thing, event);
    }
    case 2: {
      Tagged event;
      if (chance()) event.tags = {"x", random_text(random)};
      if (chance()) event.either = std::int64_t{7};
      return ctx.apply(thing, event);
    }
    case 3: {
      Counted event{random_text(random), static_cast<std::int64_t>(random()) << 20,
                    random_number(random)};
      if (chance()) event.seen = random_text(random);
      return ctx.apply(thing, event);
    }
    case 4: {
      Cleared event;
      if (chance()) event.taken = {static_cast<std::int64_t>(random() % 100), 5};
      return ctx.apply(thing, event);
    }
    default:
      return ctx.apply(thing, Rung{static_cast<std::int64_t>(random() % 5)});
  }
}

}  // namespace

TEST_CASE("a thousand random histories fold alike in C++ and in SQL") {
  Fresh store;
  store->warmup<ThingAggregate>();
  std::mt19937 random(1);
  constexpr int batch = 50;
  for (int histories = 0; histories < 1000; histories += batch) {
    std::vector<ThingAggregate> things;
    store->with_context([&](Context& ctx) {
      for (int i = 0; i < batch; ++i) {
        things.push_back(ctx.create<ThingAggregate>());
        for (auto n = random() % 12; n > 0; --n) random_event(ctx, things.back(), random);
      }
    });
    // Foreign hands write too: nulls, missing members, members that the event's struct does not
    // know.
    store->with_context([&](Context& ctx) {
      for (int i = 0; i < batch; i += 5) {
        const auto id = things[static_cast<std::size_t>(i)].id();
        ctx.publish(id, {"Begun", R"({"title":null,"count":12})"});
        ctx.publish(id, {"Begun", R"({"ratio":4,"only_raw":"seen","spot":{"x":2}})"});
        ctx.publish(id, {"Moved", R"({"ratio":null,"either":null,"nobody":[1]})"});
      }
    });
    store->with_readonly_context([&](ReadonlyContext& ctx) {
      for (int i = 0; i < batch; ++i) {
        const auto& live = things[static_cast<std::size_t>(i)];
        const auto loaded = ctx.load<ThingAggregate>(live.id());
        if (i % 5 != 0) REQUIRE(loaded.state() == live.state());
        // SQL's state, read as the struct, must be ours but for what only custom events without
        // rules set.
        Thing sql = decode<Thing>(ctx.state(live.id()));
        CHECK(sql.rings == 0);
        sql.rings = loaded->rings;
        REQUIRE_MESSAGE(sql == loaded.state(), ctx.state(live.id()));
      }
    });
  }
}

TEST_CASE("an empty optional and a null leave the state alone") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto thing = ctx.create<ThingAggregate>();
    thing.apply(Begun{"t", 1, 2.5});
    thing.apply(Begun{"u", 2, std::nullopt});
    CHECK(thing->ratio == 2.5);
    thing.apply(Moved{});
    CHECK(thing->count == 2);
    return thing.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<ThingAggregate>(id)->ratio == 2.5);
    CHECK(ctx.events(id).at(2).data == R"({"not_in_the_state":""})");
    CHECK(ctx.events(id).at(1).data.find(R"("ratio":null)") != std::string::npos);
  });
}
