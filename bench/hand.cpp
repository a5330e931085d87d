#include "hand.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>

namespace bench {

namespace {

constexpr int streams = 1000;
constexpr int singles = 1000;
constexpr int batch = 100;
constexpr int length = 1000;  // events of a stream that is read and folded
const char* const long_stream = "long-1";

/// An event of about 120 bytes of data, with the id that makes it idempotent: a random UUID.
Event make_event(std::int64_t number) {
  static std::mt19937_64 random(20'261'130);
  char id[40];
  const unsigned long long high = random(), low = random();
  std::snprintf(id, sizeof id, "%08llx-%04llx-4%03llx-8%03llx-%012llx", high >> 32,
                high >> 16 & 0xffff, high & 0xfff, low >> 48 & 0xfff, low & 0xffffffffffff);
  const std::string n = std::to_string(number);
  return {id, "UserChanged",
          R"({"username":"user-)" + n + R"(","email":"user)" + n +
              R"(@example.org","is_active":true,"logins":)" + n + R"(,"city":"Springfield"})"};
}

void expect(std::int64_t found, std::int64_t expected, const Keeper& keeper) {
  if (found == expected) return;
  throw std::runtime_error(keeper.name() + " answers " + std::to_string(found) + " in place of " +
                           std::to_string(expected));
}

std::string user(int number) {
  return "user-" + std::to_string(number % streams);
}

void append_singles(Keeper& keeper, int count) {
  for (int i = 0; i < count; ++i) keeper.append(user(i), 1);
}

void make_long(Keeper& keeper) {
  for (int i = 0; i < length / batch; ++i) keeper.append(long_stream, batch);
}

void ask(Report& report, const std::string& name, double units, Keepers keepers,
         const std::function<void(Keeper&)>& work, int rounds = 7) {
  report.measure({name, units, [&] { return seconds([&] { work(keepers.by_hand); }); },
                  [&] { return seconds([&] { work(keepers.evercore); }); }},
                 rounds);
}

}  // namespace

void Keeper::append(const std::string& stream, int count) {
  std::vector<Event> events;
  for (int i = 0; i < count; ++i) events.push_back(make_event(made_++));
  std::int64_t& version = versions_[stream];
  append(stream, events, version);
  version += count;
}

void Fold::add(std::string_view document) {
  static thread_local simdjson::dom::parser parser;
  const simdjson::dom::object members = parser.parse(document.data(), document.size());
  for (const auto& [name, value] : members) {
    state_.insert_or_assign(std::string(name), simdjson::minify(value));
  }
}

std::string append_many_call(const std::string& stream, const std::vector<Event>& events,
                             std::int64_t version) {
  std::string call = R"([{"aggregate_type":"User","natural_key":")" + stream + R"(","expected":)" +
                     std::to_string(version) + R"(,"events":[)";
  const char* comma = "";
  for (const Event& event : events) {
    call += comma + (R"({"event_type":")" + event.type) + R"(","event_id":")" + event.id +
            R"(","data":)" + event.data + "}";
    comma = ",";
  }
  return call + "]}]";
}

void ask_speed(Report& report, Keepers keepers) {
  ask(report, "one event a call", singles, keepers,
      [](Keeper& keeper) { append_singles(keeper, singles); });
  constexpr int calls = 30;
  int made = 0;
  ask(report, "100 events a call", calls * batch, keepers, [&](Keeper& keeper) {
    for (int i = 0; i < calls; ++i) keeper.append("batch-" + std::to_string(made++), batch);
  });
  make_long(keepers.by_hand);
  make_long(keepers.evercore);
  constexpr int reads = 50;
  ask(report, "events read, 1,000 a stream", reads * length, keepers, [](Keeper& keeper) {
    for (int i = 0; i < reads; ++i) expect(keeper.read(long_stream), length, keeper);
  });
  ask(report, "states of 1,000 events", reads, keepers, [](Keeper& keeper) {
    for (int i = 0; i < reads; ++i) expect(keeper.state(long_stream), 5, keeper);
  });
}

void ask_waits(Report& report, Keepers keepers) {
  constexpr int rounds = 20;
  Keeper* const both[] = {&keepers.by_hand, &keepers.evercore};
  std::vector<double> waits[2];
  for (int round = 0; round < rounds; ++round) {
    for (int side = 0; side < 2; ++side) {
      for (int i = 0; i < singles; ++i) {
        waits[side].push_back(seconds([&] { both[side]->append(user(i), 1); }));
      }
    }
  }
  for (auto& side : waits) std::sort(side.begin(), side.end());
  for (const auto& [share, name] : {std::pair{0.5, "50 %"}, {0.99, "99 %"}, {0.999, "99.9 %"}}) {
    for (int side = 0; side < 2; ++side) {
      const auto at = static_cast<std::size_t>(share * static_cast<double>(waits[side].size()));
      report.add({std::string(name) + " of appends while checkpoints run take at most, " +
                      both[side]->name(),
                  waits[side][at] * 1e3, "ms"});
    }
  }
}

void ask_log(Report& report, Keepers keepers) {
  for (Keeper* keeper : {&keepers.by_hand, &keepers.evercore}) {
    append_singles(*keeper, streams);
    keeper->checkpoint();
    append_singles(*keeper, singles);
    const double first = keeper->written();
    append_singles(*keeper, singles);
    const double second = keeper->written() - first;
    report.add({"bytes to the log an event, from a checkpoint on, " + keeper->name(),
                first / singles, "bytes"});
    report.add({"bytes to the log an event, the next 1,000, " + keeper->name(), second / singles,
                "bytes"});
  }
}

void use_once(Keeper& keeper) {
  append_singles(keeper, singles);
  make_long(keeper);
  expect(keeper.read(long_stream), length, keeper);
  expect(keeper.state(long_stream), 5, keeper);
}

}  // namespace bench
