// Word of appends between programs: NOTIFY, and the connection that carries it. Runs on PostgreSQL alone.
#include <string>
#include <thread>

#include "runners.h"

using namespace evercore;

TEST_CASE("word that comes while a program sends its own is heard") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  auto here = connect(place.uri()), there = connect(place.uri());
  runners::append(here, "a", "Made");
  runners::append(there, "a", "Made");
  runners::Listener listener(here);
  int appended = 2;
  REQUIRE(listener.reaches(appended));
  for (int round = 0; round < 500; ++round) {
    std::jthread other([&] { runners::append(there, "b", "Made"); });
    runners::append(here, "c", "Made");
    other.join();
    appended += 2;
    REQUIRE(listener.reaches(appended));
  }
}

TEST_CASE("a program that appends and ends has told the others") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  auto here = connect(place.uri());
  runners::append(here, "a", "Made");
  runners::Listener listener(here);
  REQUIRE(listener.reaches(1));
  for (int round = 1; round <= 5; ++round) {
    auto there = connect(place.uri());
    runners::append(there, "b", "Made");
    there = here;  // its engine is gone
    CHECK(listener.reaches(1 + round));
  }
}

TEST_CASE("word is sent again when the connection for it was lost") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  auto here = connect(place.uri()), there = connect(place.uri() + "&application_name=there");
  runners::append(there, "a", "Made");
  runners::Listener listener(here);
  REQUIRE(listener.reaches(1));
  runners::append(there, "a", "Made");
  REQUIRE(listener.reaches(2));
  for (int round = 1; round <= 3; ++round) {
    here.with_context([](Context& ctx) {
      ctx.execute(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
          " WHERE application_name = 'there'");
    });
    for (bool appended = false; !appended;) {
      try {
        there.with_context([&](Context& ctx) {
          ctx.publish("Thing", "a", {"Made", "{}", {.event_id = std::to_string(round)}});
        });
        appended = true;
      } catch (const connection_error&) {
      }
    }
    CHECK(listener.reaches(2 + round));
  }
}
