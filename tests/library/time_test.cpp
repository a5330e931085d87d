// Times as text: the library and the surface take the same ones, and read them alike.
#include <doctest/doctest.h>

#include "harness.h"

using evercore::format_time;
using evercore::parse_time;
using evercore::Time;

namespace {

std::string again(std::string_view text) {
  Time time;
  return parse_time(text, time) ? format_time(time) : "no time";
}

// What evercore_time() of the store makes of a text.
std::string in_sql(harness::Fresh& fresh, const std::string& text) {
  const std::string sql = "SELECT " + fresh.place.relation("evercore_time") + "($1)";
  std::string read;
  auto sink = [&](const evercore::Row& row) { read = format_time(row.time(0)); };
  try {
    fresh->with_context([&](evercore::Context& ctx) { ctx.execute(sql, {text}, sink); });
  } catch (const evercore::argument_error&) {
    return "no time";
  }
  return read;
}

}  // namespace

TEST_CASE("a time is read in every form of the surface and written in one") {
  CHECK(again("2026-11-21T22:10:41.123456Z") == "2026-11-21T22:10:41.123456Z");
  CHECK(again("2026-11-21 22:10:41.5+01:30") == "2026-11-21T20:40:41.500000Z");
  CHECK(again("2026-11-21") == "2026-11-21T00:00:00.000000Z");
  CHECK(again("2026-11-21t22:10z") == "2026-11-21T22:10:00.000000Z");
  CHECK(again("1969-12-31T23:59:59.999999999Z") == "1969-12-31T23:59:59.999999Z");
  CHECK_THROWS_AS(format_time(Time::max()), evercore::argument_error);
  CHECK_THROWS_AS(format_time(Time::min()), evercore::argument_error);
}

TEST_CASE("the library takes the times that the surface takes, and no others") {
  harness::Fresh fresh;
  for (const char* text :
       {"2026-03-01", "2026-03-01T10:20", "2026-03-01t10:20:30z", "2026-03-01 10:20:30.25",
        "2026-03-01T10:20:30+02", "2026-03-01T10:20:30-0230", "2026-03-01 10:20+15:59:59",
        "2026-03-01T10:20:30.1234567Z", "2026-03-01T10:20:30.123456999", "2024-02-29T23:59:59Z",
        "1969-12-31T23:59:59.999999999Z", "0001-01-01", "0001-01-01T01:00+01",
        "9999-12-31T23:59:59.999999Z", "2025-12-31T23:30:00-00:45"}) {
    CAPTURE(text);
    CHECK(again(text) != "no time");
    CHECK(again(text) == in_sql(fresh, text));
  }
  for (const char* text : {"now",
                           "infinity",
                           "epoch",
                           "",
                           "2026-03",
                           "2026-03-01T10",
                           "2026-03-01T",
                           "2026-03-01Z",
                           "2026-03-01+01",
                           "2026/03/01T10:20",
                           "2026-3-1T10:20",
                           "20260301T102030Z",
                           " 2026-03-01",
                           "2026-03-01 ",
                           "2026-03-01T10:20:30ZZ",
                           "2026-03-01T10:20:30.",
                           "2026-03-01T10:20:30.1234567891Z",
                           "2026-03-01T10:20.5",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-03-01T24:00",
                           "2026-03-01T10:60",
                           "2026-03-01T10:20:60",
                           "2026-03-01T10:20+2",
                           "2026-03-01T10:20+020",
                           "2026-03-01T10:20+02:",
                           "2026-03-01T10:20+0200:30",
                           "2026-03-01T10:20+02:00:60",
                           "2026-03-01T10:20+16:00",
                           "2026-03-01T10:20+02:60",
                           "0000-12-31",
                           "0000-12-31T23:30-01:00",
                           "0001-01-01T00:00+01:00",
                           "9999-12-31T23:30-01:00",
                           "10000-01-01"}) {
    CAPTURE(text);
    CHECK(again(text) == "no time");
    CHECK(in_sql(fresh, text) == "no time");
  }
}

TEST_CASE("a text that is no time leaves the time alone") {
  Time time = evercore::now();
  const Time before = time;
  CHECK_FALSE(parse_time("2026-03-01T10:20:30+02:00:60", time));
  CHECK(time == before);
}

TEST_CASE("a time that ends or is spoilt anywhere is read alike by the library and the surface") {
  harness::Fresh fresh;
  for (const std::string whole : {"2026-03-01T10:20:30.123456+02:30:45", "2026-03-01 10:20-0230"}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const std::string& text :
           {whole.substr(0, at), whole.substr(0, at) + "x" + whole.substr(at + 1),
            whole.substr(0, at) + "/" + whole.substr(at + 1)}) {
        CAPTURE(text);
        CHECK(again(text) == in_sql(fresh, text));
      }
    }
  }
}
