// Events that a program gives as text: Context::publish().
#include <doctest/doctest.h>

#include <random>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using harness::fault_of;
using harness::Fresh;

TEST_CASE("raw events are published by id and by type and key") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  store->with_context([&](Context& ctx) {
    ctx.publish(id, {"UserRenamed", R"({ "username" : "raw" })"});
    ctx.publish("User", "new", {"UserCreated", R"({"username":"new"})"});
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<UserAggregate>(id)->username == "raw");
    CHECK(ctx.load<UserAggregate>("new")->username == "new");
    CHECK(ctx.events(id, 1).at(0).data == R"({ "username" : "raw" })");
  });
  CHECK(fault_of<payload_error>([&] {
          store->with_context([&](Context& ctx) { ctx.publish(id, {"X", "{"}); });
        }).starts_with("EV004: data: not JSON"));
  CHECK_THROWS_AS(store->with_context([&](Context& ctx) {
    ctx.publish(12345, {"X", "{}"});
  }),
                  not_found_error);
}

TEST_CASE("a raw document is one document, whether it comes alone or with others") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  const auto publish = [&](RawEvent event, bool with_another, bool by_key) {
    return fault_of<payload_error>([&] {
      store->with_context([&](Context& ctx) {
        if (by_key) {
          ctx.publish("User", "ann", event);
        } else {
          ctx.publish(id, event);
        }
        if (with_another) ctx.publish(id, {"X", "{}"});
      });
    });
  };
  const auto before = store->follow(0).size();
  for (
      const char* text : {
          R"({},"reference":"somebody else")",
          R"({"a":1}},{"event_type":"Forged","data":{"b":1})",
          R"({}]},{"aggregate_type":"User","natural_key":"b","events":[{"event_type":"X","data":{})",
          R"("{\"a\":1}")",
          R"({"a":"\"}","b":1)",
          "[1]",
          "1",
          "null",
          "",
      }) {
    CAPTURE(text);
    for (const RawEvent& event :
         {RawEvent{"X", text, {}}, RawEvent{"X", "{}", {.metadata = text}}}) {
      if (event.data == "{}" && event.options.metadata.empty()) continue;  // none is given
      const std::string alone = publish(event, false, false);
      CHECK(alone.starts_with("EV004: "));
      CHECK(publish(event, true, false) == alone);
      CHECK(publish(event, false, true) == alone);
    }
  }
  CHECK(store->follow(0).size() == before);
  for (const bool with_another : {false, true}) {
    const std::string spaced = " { \"a\" : \"}]\\\"{\" }\n";
    CHECK(publish({"X", spaced, {.metadata = spaced}}, with_another, with_another) == "none");
    const auto events = store->with_readonly_context(
        [&](ReadonlyContext& ctx) { return ctx.events(id, with_another ? 2 : 1); });
    REQUIRE(!events.empty());
    CHECK(events[0].data == spaced);
    CHECK(events[0].metadata == spaced);
  }
}

TEST_CASE("a raw document that was damaged is refused, or stored as it is, alone or with others") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  std::mt19937 random(4711);
  const auto below = [&](std::size_t end) { return random() % end; };
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           "\"",
                                           "\\",
                                           ",",
                                           ":",
                                           "}}",
                                           "\\\"",
                                           "\\u0000",
                                           "1",
                                           "\"data\":{}",
                                           "\"reference\":\"r\"",
                                           "{}",
                                           "null",
                                           "\"a\"",
                                           "\"a\":1",
                                           " ",
                                           "\\ud800",
                                           "}},{\"event_type\":\"Y\",\"data\":{}"};
  std::int64_t sequence = 1;
  const int rounds = harness::on_postgres() ? 300 : 2000;
  for (int round = 0; round < rounds; ++round) {
    std::string text = R"({"a":1,"b":[{"c":"x"}]})";
    for (auto left = 1 + below(3); left > 0; --left) {
      const auto at = below(text.size());
      if (below(3) == 0 && text.size() > 2) {
        text.erase(at, 1);
      } else {
        text.insert(at, pieces[below(pieces.size())]);
      }
    }
    CAPTURE(text);
    const auto written = [&](bool with_another) {
      const auto fault = fault_of<payload_error>([&] {
        store->with_context([&](Context& ctx) {
          ctx.publish(id, {"X", text});
          if (with_another) ctx.publish(id, {"Z", "{}"});
        });
      });
      const auto events = store->with_readonly_context(
          [&](ReadonlyContext& ctx) { return ctx.events(id, sequence); });
      sequence += static_cast<std::int64_t>(events.size());
      if (fault != "none") {
        CHECK(fault.starts_with("EV004: "));
        CHECK(events.empty());
        return false;
      }
      REQUIRE(events.size() == (with_another ? 2 : 1));
      CHECK(events[0].event_type == "X");
      CHECK(events[0].data == text);
      CHECK(!events[0].reference);
      return true;
    };
    CHECK(written(false) == written(true));
  }
}

TEST_CASE("a text that cannot be sent is refused, and the same call goes through without it") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  const std::string nul(1, '\0');
  const auto publish = [&](const std::string& data, int events) {
    store->with_context([&](Context& ctx) {
      for (int i = 0; i < events; ++i) ctx.publish(id, {"X", data});
    });
  };
  for (const int events : {1, 2}) {
    CAPTURE(events);
    CHECK_THROWS_AS(publish("{\"a\":\"" + nul + "\"}", events), payload_error);
    CHECK_NOTHROW(publish("{}", events));
  }
  CHECK(store->follow(0).size() == 4);
}

TEST_CASE("each raw event of a context is held to the version that it expects") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  const auto publish = [&](std::int64_t first, std::int64_t second) {
    store->with_context([&](Context& ctx) {
      ctx.publish(id, {"UserRenamed", R"({"username":"x"})"}, first);
      ctx.publish(id, {"UserRenamed", R"({"username":"y"})"}, second);
    });
  };
  CHECK_THROWS_AS(publish(1, 1), conflict_error);
  CHECK_THROWS_AS(publish(1, 3), conflict_error);
  CHECK_NOTHROW(publish(1, 2));
  CHECK(store->follow(0).size() == 3);
}

TEST_CASE("raw events of one aggregate that expect a version stand next to some that expect none") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  using Expected = std::optional<std::int64_t>;
  const auto publish = [&](Expected first, Expected second) {
    store->with_context([&](Context& ctx) {
      ctx.publish(id, {"UserRenamed", R"({"username":"x"})"}, first);
      ctx.publish(id, {"UserRenamed", R"({"username":"y"})"}, second);
    });
  };
  const auto count = [&] { return store->follow(0).size(); };
  publish(1, {});
  CHECK(count() == 3);
  publish({}, 4);
  CHECK(count() == 5);
  publish({}, {});
  CHECK(count() == 7);
  CHECK_THROWS_AS(publish(6, {}), conflict_error);
  CHECK_THROWS_AS(publish({}, 7), conflict_error);
  CHECK(count() == 7);
}

TEST_CASE("a group of raw events with event ids is a repeat as a whole") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  const auto publish = [&](const std::string& first, const std::string& second) {
    store->with_context([&](Context& ctx) {
      ctx.publish(id, {"UserRenamed", R"({"username":"x"})", {.event_id = first}});
      ctx.publish(id, {"UserRenamed", R"({"username":"y"})", {.event_id = second}});
    });
  };
  publish("1", "2");
  publish("1", "2");
  CHECK(store->follow(0).size() == 3);
  CHECK_THROWS_AS(publish("2", "3"), event_id_error);
  CHECK(store->follow(0).size() == 3);
}
