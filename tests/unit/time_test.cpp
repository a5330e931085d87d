// Times: which texts are one, and that what is written reads back as the same moment.
#include "time.h"

#include <doctest/doctest.h>

#include <ctime>
#include <random>
#include <string>

using namespace evercore::ext;

namespace {

std::string again(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return "no time";
  std::array<char, time_text_size> out;
  format_time(*time, out);
  return {out.data(), out.size()};
}

constexpr std::int64_t first = -62'135'596'800'000'000;
constexpr std::int64_t last = 253'402'300'799'999'999;

}  // namespace

TEST_CASE("a time is read in every form of the surface and written in one") {
  CHECK(again("2026-11-21T22:10:41.123456Z") == "2026-11-21T22:10:41.123456Z");
  CHECK(again("2026-11-21 22:10:41") == "2026-11-21T22:10:41.000000Z");
  CHECK(again("2026-11-21T22:10:41.5") == "2026-11-21T22:10:41.500000Z");
  CHECK(again("2026-11-21T22:10:41.000001+00:00") == "2026-11-21T22:10:41.000001Z");
  CHECK(again("2026-11-21T22:10:41+01:30") == "2026-11-21T20:40:41.000000Z");
  CHECK(again("2026-11-21T22:10:41-15:59") == "2026-11-22T14:09:41.000000Z");
  CHECK(again("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000000Z");
  CHECK(again("1969-12-31T23:59:59.999999Z") == "1969-12-31T23:59:59.999999Z");
  CHECK(parse_time("1969-12-31T23:59:59.999999Z") == -1);
  CHECK(parse_time("1970-01-01T00:00:00Z") == 0);
}

TEST_CASE("the years 1 to 9999 hold and nothing beyond them, counted in UTC") {
  CHECK(parse_time("0001-01-01T00:00:00Z") == first);
  CHECK(parse_time("9999-12-31T23:59:59.999999Z") == last);
  CHECK_FALSE(parse_time("0000-12-31T23:59:59Z"));
  CHECK_FALSE(parse_time("0001-01-01T00:00:00+00:01"));
  CHECK_FALSE(parse_time("9999-12-31T23:59:59-00:01"));
  CHECK(again("0001-01-01T01:00:00+01:00") == "0001-01-01T00:00:00.000000Z");
}

TEST_CASE("anything else is no time") {
  for (const char* text : {"",
                           "now",
                           "infinity",
                           "today",
                           "2026-11",
                           "2026-11-21T22",
                           "2026-11-21Z",
                           "2026-11-21T22:10:41.",
                           "2026-11-21T22:10:41.1234567891",
                           "2026-11-21T22:10:41.Z",
                           "2026-11-21T22:10:41 Z",
                           "2026-11-21T22:10:41+1",
                           "2026-11-21T22:10:41+01:0030",
                           "2026-11-21T22:10:41+16:00",
                           "2026-11-21T22:10:41+01:60",
                           "2026-11-21T24:00:00",
                           "2026-11-21T22:60:00",
                           "2026-11-21T22:10:60",
                           "2026-13-01T00:00:00",
                           "2026-00-01T00:00:00",
                           "2026-11-31T00:00:00",
                           "2026-11-00T00:00:00",
                           "2023-02-29T00:00:00",
                           "1900-02-29T00:00:00",
                           "26-11-21T22:10:41",
                           "12026-11-21T22:10:41",
                           "-026-11-21T22:10:41",
                           "2026-11-21  22:10:41",
                           " 2026-11-21T22:10:41",
                           "2026-11-21T22:10:41Z ",
                           "2026/11/21T22:10:41",
                           "2461366.5",
                           "1795299041"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text));
  }
  CHECK_FALSE(parse_time(std::string_view("2026-11-21T22:10:41Z\0", 21)));
}

TEST_CASE("no prefix of a time is read as another one past its end") {
  const std::string text = "2026-11-21T22:10:41.123456+01:30";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string prefix = text.substr(0, size);
    CAPTURE(prefix);
    const bool legal =
        size == 10 || size == 16 || size == 19 || (size >= 21 && size <= 26) || size == 29;
    CHECK(parse_time(prefix).has_value() == legal);
  }
}

TEST_CASE("what is written reads back as the same microsecond, as the C library counts it") {
  std::mt19937_64 random(42);
  std::uniform_int_distribution<std::int64_t> any(first, last);
  for (int round = 0; round < 20000; ++round) {
    const std::int64_t time = round == 0 ? first : round == 1 ? last : any(random);
    std::array<char, time_text_size> text;
    format_time(time, text);
    REQUIRE(parse_time({text.data(), text.size()}) == time);
    const std::int64_t us = ((time % 1'000'000) + 1'000'000) % 1'000'000;
    const std::time_t seconds = (time - us) / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[64];
    std::snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec, static_cast<int>(us));
    REQUIRE(std::string(text.data(), text.size()) == expected);
  }
}
