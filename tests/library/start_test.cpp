// Where a subscription begins in a store in which events were compacted.
#include "runners.h"

using namespace runners;
using harness::fault_of;

namespace {

// Ten events of one aggregate, of which compaction has left the last three.
std::vector<std::int64_t> compacted(Fresh& store) {
  append(store.store, "a", "Made", 10);
  std::vector<std::int64_t> left;
  for (const RecordedEvent& event : store->follow(0)) left.push_back(event.position);
  call(store, "evercore_compact", "(1, 3)");
  left.erase(left.begin(), left.end() - 3);
  return left;
}

std::vector<std::int64_t> ephemeral(Fresh& store, const Start& start) {
  std::vector<std::int64_t> positions;
  store->run_ephemeral_subscription(everything, start, once(), [&](const RecordedEvent& event) {
    positions.push_back(event.position);
  });
  return positions;
}

}  // namespace

TEST_CASE("a subscription begins where events were compacted if its start says kept") {
  Fresh store;
  const auto left = compacted(store);
  const Start before = Start::after(left.front() - 5), long_ago = Start::at(Time{});
  for (const Start& start : {Start::beginning(), before, long_ago}) {
    CAPTURE(start.text());
    CHECK(fault_of<safety_error>([&] {
            catch_up(store.store, "s", everything, start);
          }).starts_with("EV010: subscription \"s\" would miss events that were compacted"));
    CHECK(shown(store, "s", "name") == "no row");
    CHECK(catch_up(store.store, "s", everything, start.kept()) == left);
    CHECK(shown(store, "s", "lag_events") == "0");
    call(store, "evercore_unsubscribe", "('s')");
  }
}

TEST_CASE("another filter is taken where events were compacted if the start says kept") {
  Fresh store;
  append(store.store, "b", "Other", 2);
  CHECK(catch_up(store.store, "s", {.event_types = {"Other"}}).size() == 2);
  append(store.store, "a", "Made", 10);
  call(store, "evercore_compact", "(2, 3)");
  const auto with_all = [&](const Start& start) {
    return catch_up(store.store, "s", everything, start);
  };
  CHECK(fault_of<safety_error>([&] { with_all(Start::beginning()); }).starts_with("EV010"));
  CHECK(with_all(Start::beginning().kept()).size() == 3);
}

TEST_CASE("an ephemeral subscription reads what compaction has left, whether it says kept or not") {
  Fresh store;
  const auto left = compacted(store);
  for (const Start& start :
       {Start::beginning(), Start::after(left.front() - 5), Start::at(Time{})}) {
    CAPTURE(start.text());
    CHECK(ephemeral(store, start) == left);
    CHECK(ephemeral(store, start.kept()) == left);
  }
  CHECK(ephemeral(store, Start::end().kept()).empty());
}

TEST_CASE("a start says kept once, however often it is asked to") {
  CHECK(Start::after(7).kept().text() == "kept 7");
  CHECK(Start::after(7).kept().kept().text() == "kept 7");
  CHECK(Start::beginning().kept().text() == "kept beginning");
}
