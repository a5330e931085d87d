// Encoding and decoding: exact inverses, strict about types, clear about what is wrong.
#include "evercore/codec.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace evercore;

namespace {

enum class Color { red, green, blue = 5 };

struct Address {
  std::string street;
  std::optional<int> number;
  bool operator==(const Address&) const = default;
};

struct Circle {
  double radius = 1;
  bool operator==(const Circle&) const = default;
};

struct Everything {
  bool flag = false;
  std::int8_t tiny = 0;
  std::uint32_t natural = 0;
  std::int64_t large = 0;
  std::uint64_t larger = 0;
  float single = 0;
  double real = 0;
  std::string text;
  Color color = Color::red;
  Time time{};
  std::chrono::system_clock::time_point fine{};
  std::chrono::sys_days day{};
  std::optional<std::string> maybe;
  std::optional<int> preset = 5;
  Address address;
  std::optional<Address> second;
  std::vector<bool> bits;
  std::vector<Address> addresses;
  std::vector<std::optional<int>> holes;
  std::array<int, 3> three{};
  std::map<std::string, double> ordered;
  std::unordered_map<std::string, std::vector<int>> hashed;
  std::map<Color, int> by_color;
  std::variant<std::monostate, std::int64_t, std::string, Circle, std::vector<int>> either;
  bool operator==(const Everything&) const = default;
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
  bool operator==(const Tree&) const = default;
};

struct Strict {
  std::string name;
  int age = 7;
  static constexpr std::string_view required[] = {"name"};
};

struct Empty {
  bool operator==(const Empty&) const = default;
};

template <class T>
std::string fault_of(std::string_view text) {
  try {
    decode<T>(text);
  } catch (const decode_error& e) {
    return e.what();
  }
  return "none";
}

Everything random_everything(std::mt19937_64& random) {
  const auto chance = [&] { return random() % 2 == 0; };
  const auto text = [&] {
    static const std::string pieces[] = {"a", "\"", "\\", "\n", "\x01", "\x7f",
                                         "é", "😀",  "/",  "\t", ""};
    std::string made;
    for (auto n = random() % 6; n > 0; --n) made += pieces[random() % std::size(pieces)];
    return made;
  };
  const auto real = [&] {
    double value;
    do {
      value = std::bit_cast<double>(random());
    } while (!std::isfinite(value));
    return chance() ? value : static_cast<double>(static_cast<int>(random() % 100));
  };
  Everything e;
  e.flag = chance();
  e.tiny = static_cast<std::int8_t>(random());
  e.natural = static_cast<std::uint32_t>(random());
  e.large = static_cast<std::int64_t>(random());
  e.larger = random() >> 1;
  e.single = static_cast<float>(static_cast<int>(random() % 1000)) / 7.0f;
  e.real = real();
  e.text = text();
  e.color = chance() ? Color::blue : Color::green;
  e.time =
      Time{std::chrono::microseconds{static_cast<std::int64_t>(random() % 4'000'000'000'000'000)}};
  e.fine = std::chrono::system_clock::time_point{
      std::chrono::nanoseconds{static_cast<std::int64_t>(random()) / 2}};
  e.day = std::chrono::sys_days{std::chrono::days{static_cast<int>(random() % 40000) - 20000}};
  if (chance()) e.maybe = text();
  if (chance()) e.preset.reset();
  e.address = {text(), chance() ? std::optional<int>{3} : std::nullopt};
  if (chance()) e.second = Address{text(), 1};
  for (auto n = random() % 4; n > 0; --n) {
    e.bits.push_back(chance());
    e.addresses.push_back({text(), {}});
    e.holes.push_back(chance() ? std::optional<int>{static_cast<int>(random() % 9)} : std::nullopt);
    e.ordered[text()] = real();
    e.hashed[text()] = {1, 2, static_cast<int>(n)};
    e.by_color[chance() ? Color::red : Color::blue] = static_cast<int>(n);
  }
  e.three = {1, -2, static_cast<int>(random() % 99)};
  switch (random() % 5) {
    case 0:
      e.either = static_cast<std::int64_t>(random());
      break;
    case 1:
      e.either = text();
      break;
    case 2:
      e.either = Circle{real()};
      break;
    case 3:
      e.either = std::vector<int>{4, 5};
      break;
    default:
      break;
  }
  return e;
}

}  // namespace

TEST_CASE("a struct reads as one would write it by hand") {
  CHECK(encode(Address{"Elm", 4}) == R"({"street":"Elm","number":4})");
  CHECK(encode(Address{"Elm", {}}) == R"({"street":"Elm"})");
  CHECK(encode(Empty{}) == "{}");
  CHECK(encode(Circle{5}) == R"({"radius":5.0})");
  Everything e;
  e.either = Circle{0.5};
  e.maybe = "x\"y";
  const auto text = encode(e);
  CHECK(text.find(R"("color":"red")") != text.npos);
  CHECK(text.find(R"("either":{"Circle":{"radius":0.5}})") != text.npos);
  CHECK(text.find(R"("maybe":"x\"y")") != text.npos);
  CHECK(text.find(R"("time":"1970-01-01T00:00:00.000000Z")") != text.npos);
}

TEST_CASE("decoding gives back what was encoded") {
  std::mt19937_64 random(4);
  for (int i = 0; i < 3000; ++i) {
    const auto before = random_everything(random);
    const auto text = encode(before);
    const auto after = decode<Everything>(text);
    REQUIRE_MESSAGE(after == before, text);
  }
}

TEST_CASE("corners of numbers survive") {
  Everything e;
  e.real = -0.0;
  e.large = std::numeric_limits<std::int64_t>::min();
  e.natural = std::numeric_limits<std::uint32_t>::max();
  const auto back = decode<Everything>(encode(e));
  CHECK(std::signbit(back.real));
  CHECK(back.large == e.large);
  for (const double real :
       {1e300, 5e-324, 1.7976931348623157e308, 0.1, 1e19, 123456789012345680.0}) {
    CHECK(decode<Circle>(encode(Circle{real})).radius == real);
  }
  // As PostgreSQL's jsonb spells it.
  CHECK(decode<Circle>("{\"radius\":1" + std::string(300, '0') + "}").radius == 1e300);
  CHECK(decode<Circle>("{\"other\":\"99999999999999999999\\\"\",\"radius\":-18446744073709551616}")
            .radius == -18446744073709551616.0);
}

TEST_CASE("recursive structs work") {
  const Tree tree{"a", {{"b", {{"c", {}}}}, {"d", {}}}};
  CHECK(decode<Tree>(encode(tree)) == tree);
}

TEST_CASE("unknown members are passed over and missing ones keep their initialisers") {
  const auto strict = decode<Strict>(R"({"later":[1,{"x":2}],"name":"ann"})");
  CHECK(strict.name == "ann");
  CHECK(strict.age == 7);
  CHECK(decode<Everything>("{}") == Everything{});
  CHECK(decode<Strict>(R"({"age":3,"name":"b","unknown":null})").age == 3);
}

TEST_CASE("a missing required member is an error that names it") {
  CHECK(fault_of<Strict>(R"({"age":3})") == "field \"name\": is required and missing");
}

TEST_CASE("decoding is strict about types and says where") {
  CHECK(fault_of<Strict>(R"({"name":5})") == "field \"name\": expected a string, found an integer");
  CHECK(fault_of<Strict>(R"({"name":null})") == "field \"name\": expected a string, found null");
  CHECK(fault_of<Strict>(R"({"name":"x","age":"5"})") ==
        "field \"age\": expected an integer, found a string");
  CHECK(fault_of<Strict>(R"({"name":"x","age":5.0})") ==
        "field \"age\": expected an integer, found a number");
  CHECK(fault_of<Strict>(R"({"name":"x","age":5000000000})") ==
        "field \"age\": the integer is out of range");
  CHECK(fault_of<Everything>(R"({"tiny":200})") == "field \"tiny\": the integer is out of range");
  CHECK(fault_of<Everything>(R"({"larger":-1})") ==
        "field \"larger\": the integer is out of range");
  CHECK(fault_of<Everything>(R"({"single":1e39})") ==
        "field \"single\": the number is out of range");
  CHECK(fault_of<Everything>(R"({"flag":0})") ==
        "field \"flag\": expected a boolean, found an integer");
  CHECK(fault_of<Everything>(R"({"color":"pink"})") ==
        "field \"color\": \"pink\" is not a value of Color");
  CHECK(fault_of<Everything>(R"({"time":"now"})") == "field \"time\": \"now\" is not a time");
  CHECK(fault_of<Everything>(R"({"time":"2026-01-01T00:00:00.123456789Z"})") ==
        "field \"time\": the time is finer than the member can hold");
  CHECK(fault_of<Everything>(R"({"fine":"2999-01-01T00:00:00Z"})") ==
        "field \"fine\": the time is out of range");
  CHECK(fault_of<Everything>(R"({"day":"2026-01-01T00:00:01Z"})") ==
        "field \"day\": the time is finer than the member can hold");
  CHECK(fault_of<Everything>(R"({"addresses":[{"street":"a"},{"street":"b","number":true}]})") ==
        "field \"addresses[1].number\": expected an integer, found a boolean");
  CHECK(fault_of<Everything>(R"({"three":[1,2]})") ==
        "field \"three\": expected 3 elements, found 2");
  CHECK(fault_of<Everything>(R"({"three":[1,2,3,4]})") ==
        "field \"three\": expected 3 elements, found 4");
  CHECK(fault_of<Everything>(R"({"hashed":{"k":[1,"2"]}})") ==
        "field \"hashed.k[1]\": expected an integer, found a string");
  CHECK(fault_of<Everything>(R"({"either":{"Square":{}}})") ==
        "field \"either\": \"Square\" is not an alternative of the variant");
  CHECK(fault_of<Everything>("[]") == "the document: expected an object, found an array");
}

TEST_CASE("what no JSON can hold is refused when encoding") {
  CHECK_THROWS_AS(encode(Circle{std::nan("")}), payload_error);
  CHECK_THROWS_AS(encode(Circle{INFINITY}), payload_error);
  CHECK_THROWS_AS(encode(Address{"\xff", {}}), payload_error);
  Everything e;
  e.larger = ~std::uint64_t{0};
  CHECK_THROWS_AS(encode(e), payload_error);
  e.larger = 0;
  e.color = static_cast<Color>(9);
  CHECK_THROWS_WITH_AS(
      encode(e),
      "EV004: data: value 9 of enum Color has no name (evercore::enum_range widens the "
      "search)",
      payload_error);
  CHECK_THROWS_AS(decode<Circle>("{"), payload_error);
}

TEST_CASE("a document moves, and parses on where it went") {
  json::Document first;
  CHECK(first.parse(R"({"a":1})").kind() == json::Kind::object);
  json::Document second(std::move(first));
  CHECK(second.parse("[1]").kind() == json::Kind::array);
  first = std::move(second);
  CHECK(first.parse("1").kind() == json::Kind::integer);
}

TEST_CASE("control characters are escaped, and what is too large for int64 is named") {
  struct Line {
    std::string text;
  };
  CHECK(encode(Line{"\r\n\t\b\f\x01"}) == R"({"text":"\r\n\t\u0008\u000c\u0001"})");
  CHECK(decode<Line>(R"({"text":"\r"})").text == "\r");
  try {
    decode<Line>(R"({"text":18446744073709551615})");
    FAIL("taken");
  } catch (const decode_error& fault) {
    CHECK(std::string(fault.what()) ==
          "field \"text\": expected a string, found an integer beyond int64");
  }
}

TEST_CASE("a date is one of the years 1 to 9999, in ten characters") {
  using namespace std::chrono_literals;
  using detail::format_date, detail::parse_date;
  const auto day = [](std::chrono::year year) { return year / std::chrono::February / 28; };
  CHECK(format_date(day(1y)) == "0001-02-28");
  CHECK(format_date(day(9999y)) == "9999-02-28");
  for (const auto date : {day(0y), day(-1y), day(10'000y), 2026y / std::chrono::February / 30}) {
    CHECK_THROWS_WITH_AS(format_date(date), "EV004: data: a date is none of the years 1 to 9999",
                         payload_error);
  }
  std::chrono::year_month_day date = day(2026y);
  for (const char* text : {"", "2026-1-1", "2026-01-1", "2026-01-011", "2026-01-01T00:00:00Z",
                           "2026-02-30", "0000-01-01", "2026/01/01"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_date(text, date));
  }
  CHECK(date == day(2026y));
  CHECK(parse_date("2024-02-29", date));
  CHECK(date == 2024y / std::chrono::February / 29);
}

TEST_CASE("an integer beyond 64 bits is read next to numbers and texts of every spelling") {
  const std::string huge = "123456789012345678901234";
  struct Numbers {
    double huge = 0;
    std::vector<double> others;
    std::string text;
  };
  const auto read = decode<Numbers>(
      R"({"text":"\\\"123456789012345678901234\"","others":[1.5,2e3,2E3,1.5e+20,1.5E+20,)"
      R"(12345678901234567890123.5,12345678901234567890123e2,12345678901234567890123E2,)"
      R"(0.12345678901234567890123,1e00000000000000000000005,1E0000000000000000000005,)"
      R"(1e+0000000000000000000005],"huge":)" +
      huge + "}");
  CHECK(read.huge == 123456789012345678901234.0);
  CHECK(read.others == std::vector<double>{1.5, 2e3, 2e3, 1.5e20, 1.5e20, 12345678901234567890123.5,
                                           12345678901234567890123e2, 12345678901234567890123e2,
                                           0.12345678901234567890123, 1e5, 1e5, 1e5});
  CHECK(read.text == "\\\"123456789012345678901234\"");
  CHECK(fault_of<Numbers>(huge).starts_with("the document: expected an object"));
  for (const std::string& cut :
       {"{\"huge\":" + huge, "{\"huge\":" + huge + ",\"text\":\"\\", "{\"huge\":" + huge + "."}) {
    CAPTURE(cut);
    CHECK_THROWS_AS(decode<Numbers>(cut), payload_error);
  }
}
