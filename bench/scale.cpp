#include "scale.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <vector>

namespace bench {

namespace {

constexpr int page = 1000;

void expect(std::int64_t found, std::int64_t expected, const char* what) {
  if (found == expected) return;
  throw std::runtime_error(std::string(what) + ": " + std::to_string(found) + " in place of " +
                           std::to_string(expected));
}

/// Units a second.
using Round = std::function<double(Side&)>;

double append_round(Side& side) {
  constexpr int calls = 2000;
  return calls / seconds([&] {
           for (int i = 0; i < calls; ++i) side.append(side.next_aggregate());
         });
}

double state_round(Side& side) {
  constexpr int calls = 2000;
  return calls / seconds([&] {
           for (int i = 0; i < calls; ++i) side.state(side.next_aggregate());
         });
}

double follow_round(Side& side) {
  constexpr int calls = 20;
  return calls * page / seconds([&] {
           for (int i = 0; i < calls; ++i) {
             expect(side.follow(side.size().events / 2 + i * page), page, "follow");
           }
         });
}

double query_round(Side& side) {
  constexpr int calls = 50;
  constexpr int each = 100;
  return calls * each / seconds([&] {
           for (int i = 0; i < calls; ++i) {
             expect(side.query(i * 7 % side.size().tags()), each, "query");
           }
         });
}

double catch_up_round(Side& side) {
  const std::int64_t events = std::min<std::int64_t>(side.size().events / 2, 500'000);
  const std::int64_t from = side.head() - events;
  std::int64_t read = 0;
  const double taken = seconds([&] { read = side.catch_up(from); });
  expect(read, events, "catch-up");
  return static_cast<double>(read) / taken;
}

double check_round(Side& side) {
  return static_cast<double>(side.size().events) /
         seconds([&] { expect(side.check(), 0, "check"); });
}

double stats_round(Side& side) {
  return static_cast<double>(side.size().events) / seconds([&] { side.stats(); });
}

void ask(Report& report, const std::string& question, Pair by_hand, Pair evercore,
         const Round& round, int rounds) {
  if (!report.asks(question)) return;
  // In the order in which they are asked; the first round does not count.
  Side* const sides[] = {&by_hand.small, &evercore.small, &by_hand.large, &evercore.large};
  std::vector<double> rates[4];
  for (int i = 0; i <= rounds; ++i) {
    for (int side = 0; side < 4; ++side) {
      const double rate = round(*sides[side]);
      if (i > 0) rates[side].push_back(rate);
    }
  }
  const std::string name = question + ", " + spelled(evercore.large.size().events);
  const std::string beside = name + " beside " + spelled(evercore.small.size().events);
  report.compare(name + " events", rates[2], rates[3]);
  report.compare(beside, rates[1], rates[3]);
  report.compare(beside + ", by hand", rates[0], rates[2]);
}

}  // namespace

Size Size::large() {
  const char* given = std::getenv("EVERCORE_BENCH_EVENTS");
  const std::int64_t events = given != nullptr ? std::atoll(given) : 10'000'000;
  return {std::max<std::int64_t>(events / page * page, 100'000)};
}

std::string spelled(std::int64_t number) {
  if (number >= 1'000'000 && number % 1'000'000 == 0) {
    return std::to_string(number / 1'000'000) + " M";
  }
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

void progress(const std::string& store, std::int64_t done, std::int64_t all) {
  std::fprintf(stderr, "\rbench: filling %s: %s of %s events%s", store.c_str(),
               spelled(done).c_str(), spelled(all).c_str(), done < all ? "   " : "   \n");
}

std::int64_t Side::next_aggregate() {
  constexpr std::int64_t stride = 7919;  // a prime: every aggregate comes before one comes again
  return 1 + walked_++ * stride % size_.aggregates();
}

void ask_all(Report& report, Pair by_hand, Pair evercore) {
  ask(report, "append, one a transaction", by_hand, evercore, append_round, 5);
  ask(report, "state of 10 events", by_hand, evercore, state_round, 5);
  ask(report, "follow by 1,000 from the middle", by_hand, evercore, follow_round, 5);
  ask(report, "query of 100 events by one tag", by_hand, evercore, query_round, 5);
  ask(report, "catch-up of a subscription by 1,000", by_hand, evercore, catch_up_round, 5);
  ask(report, "stats", by_hand, evercore, stats_round, 3);
  ask(report, "check", by_hand, evercore, check_round, 3);
}

void use_once(Side& side) {
  append_round(side);
  state_round(side);
  follow_round(side);
  query_round(side);
  catch_up_round(side);
  side.stats();
}

}  // namespace bench
