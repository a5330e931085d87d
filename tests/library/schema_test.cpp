// schema_of(): what it says of each kind of member, and that the store takes by it what decode() takes.
#include <doctest/doctest.h>

#include <random>

#include "evercore/evercore.h"
#include "harness.h"

using namespace evercore;

namespace {

enum class Level { low, high };
struct Inner {
  std::int8_t x = 0;
  std::optional<std::string> label;
};
struct Node {
  std::string name;
  std::vector<Node> children;
};
struct Id {
  std::string text = "-";
};
struct Says {
  int a = 0;
  bool b = false;
  static constexpr std::string_view required[] = {"b"};
  static constexpr std::string_view json_names[][2] = {{"b", "b-e"}};
};

}  // namespace

template <>
struct evercore::json_value<Id> {
  static std::string to_json(const Id& id) { return id.text; }
  static Id from_json(const std::string& text) { return {text}; }
};

namespace {

// A struct of one member, which every kind of member takes its turn in.
template <class T>
struct Holds {
  T it{};
};

template <class T>
std::string schema_of_member() {
  std::string text(schema_of<Holds<T>>());
  const std::string before = R"({"type":"object","properties":{"it":)";
  REQUIRE(text.starts_with(before));
  text.erase(0, before.size());
  const std::string after = detail::is_optional<T> ? "}}" : R"(},"required":["it"]})";
  REQUIRE(text.ends_with(after));
  return text.substr(0, text.size() - after.size());
}

}  // namespace

TEST_CASE("each kind of member has its schema") {
  CHECK(schema_of_member<bool>() == R"({"type":"boolean"})");
  CHECK(schema_of_member<std::int8_t>() == R"({"type":"integer","minimum":-128,"maximum":127})");
  CHECK(schema_of_member<std::uint16_t>() == R"({"type":"integer","minimum":0,"maximum":65535})");
  CHECK(schema_of_member<std::int64_t>() ==
        R"({"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807})");
  CHECK(schema_of_member<std::uint64_t>() ==
        R"({"type":"integer","minimum":0,"maximum":9223372036854775807})");
  CHECK(schema_of_member<double>() == R"({"type":"number"})");
  CHECK(schema_of_member<float>() ==
        R"({"type":"number","minimum":-3.4028234663852886e38,"maximum":3.4028234663852886e38})");
  CHECK(schema_of_member<std::string>() == R"({"type":"string"})");
  CHECK(schema_of_member<Level>() == R"({"enum":["low","high"]})");
  CHECK(schema_of_member<Time>() == R"({"type":"string","format":"date-time"})");
  CHECK(schema_of_member<std::chrono::year_month_day>() == R"({"type":"string","format":"date"})");
  CHECK(schema_of_member<std::chrono::minutes>() == R"({"type":"string"})");
  CHECK(schema_of_member<RawJson>() == "true");
  CHECK(schema_of_member<Id>() == R"({"type":"string"})");
  CHECK(schema_of_member<std::vector<bool>>() == R"({"type":"array","items":{"type":"boolean"}})");
  CHECK(schema_of_member<std::set<std::string>>() ==
        R"({"type":"array","items":{"type":"string"},"uniqueItems":true})");
  CHECK(schema_of_member<std::array<bool, 3>>() ==
        R"({"type":"array","items":{"type":"boolean"},"minItems":3,"maxItems":3})");
  CHECK(
      schema_of_member<std::pair<bool, std::string>>() ==
      R"({"type":"array","prefixItems":[{"type":"boolean"},{"type":"string"}],"minItems":2,"maxItems":2})");
  CHECK(schema_of_member<std::map<std::string, bool>>() ==
        R"({"type":"object","additionalProperties":{"type":"boolean"}})");
  CHECK(
      schema_of_member<std::unordered_map<Level, bool>>() ==
      R"({"type":"object","additionalProperties":{"type":"boolean"},"propertyNames":{"enum":["low","high"]}})");
  CHECK(schema_of_member<std::variant<std::monostate, std::string>>() ==
        R"({"type":"object","properties":{"none":{"type":"null"},"string":{"type":"string"}},)"
        R"("additionalProperties":false,"minProperties":1,"maxProperties":1})");
}

TEST_CASE("an optional is what it holds, or null, and not required") {
  CHECK(schema_of_member<std::optional<bool>>() == R"({"type":["boolean","null"]})");
  CHECK(schema_of_member<std::optional<Level>>() == R"({"enum":["low","high",null]})");
  CHECK(schema_of_member<std::optional<RawJson>>() == "true");
  CHECK(
      schema_of_member<std::optional<Inner>>() ==
      R"({"type":["object","null"],"properties":{"x":{"type":"integer","minimum":-128,"maximum":127},)"
      R"("label":{"type":["string","null"]}},"required":["x"]})");
  CHECK(schema_of_member<std::vector<std::optional<bool>>>() ==
        R"({"type":"array","items":{"type":["boolean","null"]}})");
}

TEST_CASE(
    "members are required that the struct names, else those that are no optionals, else none") {
  CHECK(schema_of<Says>().ends_with(R"("b-e":{"type":"boolean"}},"required":["b-e"]})"));
  CHECK(schema_of<Says>(partial) == schema_of<Says>());
  CHECK(schema_of<Holds<bool>>(partial) ==
        R"({"type":"object","properties":{"it":{"type":"boolean"}}})");
  struct Empty {};
  static_assert(schema_of<Empty>() == R"({"type":"object"})");
}

TEST_CASE("structs that hold themselves are referred to") {
  CHECK(schema_of<Node>() ==
        R"({"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array",)"
        R"("items":{"$ref":"#"}}},"required":["name","children"]})");
  CHECK(schema_of_member<std::optional<bool>>() == R"({"type":["boolean","null"]})");
  CHECK(
      schema_of<Holds<std::vector<std::optional<Node>>>>() ==
      R"({"type":"object","properties":{"it":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/1"},)"
      R"({"type":"null"}]}}},"required":["it"],"$defs":{"1":{"type":"object","properties":{"name":)"
      R"({"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/1"}}},)"
      R"("required":["name","children"]}}})");
}

namespace {

struct Everything {
  bool yes = false;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::int64_t whole = 0;
  float rough = 0;
  double fine = 0;
  std::string text;
  Level level = Level::low;
  std::optional<Level> perhaps = Level::high;  // emptied, it is written as null
  Time time{};
  std::chrono::sys_time<std::chrono::nanoseconds> exact{};
  std::chrono::year_month_day day = std::chrono::year{2026} / 11 / 21;
  std::chrono::milliseconds wait{};
  std::vector<Inner> inners;
  std::set<std::int64_t> set;
  std::array<bool, 2> two{};
  std::tuple<std::string, std::optional<double>> pair;
  std::map<Level, Inner> by_level;
  std::variant<std::monostate, std::string, Node> either;
  RawJson raw;
  Id id;
  std::optional<Node> node;
};

// Whether the store takes the data by the schema: "" where it does, else the fault.
template <class T>
std::string fault_by_schema(Context& ctx, const std::string& relation, const std::string& data) {
  std::string fault;
  const std::string options = "{\"schema\":" + std::string(schema_of<T>()) + "}";
  auto sink = [&](const Row& row) { fault = row.text(0); };
  const std::string sql =
      "SELECT coalesce(" + relation + "('Nothing', CAST($1 AS text), CAST($2 AS text)), '')";
  try {
    ctx.execute(sql, {data, options}, sink);
  } catch (const payload_error& refused) {
    fault = refused.what();  // by the payload profile already
  }
  return fault;
}

// The object with that member ("name":value) in place of the one of its name.
std::string with_member(const std::string& object, const std::string& member) {
  std::string data = "{" + member;
  json::Document document;
  for (json::Value key = document.parse(object).first(); !key.at_end(); key = key.next().next()) {
    std::string name;
    json::write_string(name, key.text());
    if (member.starts_with(name + ":")) continue;
    data += "," + name + ":";
    json::write_value(data, key.next());
  }
  return data + "}";
}

template <class T>
bool decodes(const std::string& data) {
  try {
    decode<T>(data);
    return true;
  } catch (const decode_error&) {
    return false;
  }
}

Everything random_thing(std::mt19937_64& random) {
  const auto chance = [&] { return random() % 2 == 0; };
  static const double numbers[] = {0.0, -1.5, 0.1, 1e-7, 1e15, 1e21, -2.5e300, 1.5e-300};
  Everything thing;
  thing.yes = chance();
  thing.small = static_cast<std::int8_t>(random());
  thing.large = random() >> 1;
  thing.whole = static_cast<std::int64_t>(random());
  thing.rough = chance() ? std::numeric_limits<float>::max() : std::numeric_limits<float>::lowest();
  thing.fine = numbers[random() % std::size(numbers)];
  thing.text = chance() ? "é\"\\\n" : "";
  thing.level = chance() ? Level::low : Level::high;
  if (chance()) thing.perhaps.reset();
  thing.time = Time{std::chrono::microseconds{static_cast<std::int64_t>(random() >> 12)}};
  thing.exact += std::chrono::nanoseconds{static_cast<std::int64_t>(random() >> 2)};
  thing.wait = std::chrono::milliseconds{static_cast<std::int64_t>(random() >> 20)};
  if (chance()) thing.inners = {{1, "l"}, {2, {}}};
  thing.set = {static_cast<std::int64_t>(random()), 3};
  if (chance()) std::get<1>(thing.pair) = 0.5;
  if (chance()) thing.by_level[Level::high] = {3, {}};
  if (chance()) thing.either = Node{"n", {{"m", {}}}};
  if (chance()) thing.either = "text";
  thing.raw.text = chance() ? R"({"any":[1,null]})" : "null";
  if (chance()) thing.node = Node{"a", {{"b", {{"c", {}}}}}};
  return thing;
}

}  // namespace

TEST_CASE("the store takes by a struct's schema what encode() writes of it") {
  harness::Fresh fresh;
  const std::string validate = fresh.place.relation("evercore_validate");
  std::mt19937_64 random(1);
  fresh->with_context([&](Context& ctx) {
    for (int i = 0; i < 100; ++i) {
      const std::string data = encode(random_thing(random));
      REQUIRE_MESSAGE(fault_by_schema<Everything>(ctx, validate, data).empty(), data);
    }
  });
}

TEST_CASE("the store takes by a struct's schema no member that decode() refuses") {
  harness::Fresh fresh;
  const std::string validate = fresh.place.relation("evercore_validate");
  const std::string whole = encode(Everything{});
  // Each member in turn becomes what it cannot be.
  const std::string wrong[] = {R"("yes":1)",
                               R"("yes":null)",
                               R"("small":128)",
                               R"("small":-129)",
                               R"("small":"1")",
                               R"("small":1.5)",
                               R"("large":-1)",
                               R"("large":9223372036854775808)",
                               R"("whole":-9223372036854775809)",
                               R"("whole":1e30)",
                               R"("rough":3.5e38)",
                               R"("rough":"1")",
                               R"("fine":true)",
                               R"("text":7)",
                               R"("level":"lowest")",
                               R"("level":null)",
                               R"("perhaps":0)",
                               R"("time":"soon")",
                               R"("time":5)",
                               R"("exact":"2026-02-30T00:00:00Z")",
                               R"("day":"2026-02-30")",
                               R"("wait":90)",
                               R"("inners":{})",
                               R"("inners":[null])",
                               R"("inners":[{"x":300}])",
                               R"("set":[1,1])",
                               R"("set":["1"])",
                               R"("two":[true])",
                               R"("two":[true,false,true])",
                               R"("pair":["a"])",
                               R"("pair":["a",1,2])",
                               R"("pair":[1,null])",
                               R"("by_level":{"middle":{"x":1}})",
                               R"("by_level":{"low":1})",
                               R"("either":{})",
                               R"("either":{"other":1})",
                               R"("either":{"string":1})",
                               R"("either":"text")",
                               R"("id":7)",
                               R"("node":{"name":"a","children":[{"name":1,"children":[]}]})",
                               R"("node":[])"};
  fresh->with_context([&](Context& ctx) {
    CHECK(fault_by_schema<Everything>(ctx, validate, whole).empty());
    for (const std::string& member : wrong) {
      const std::string data = with_member(whole, member);
      CHECK_MESSAGE(!decodes<Everything>(data), data);
      CHECK_MESSAGE(!fault_by_schema<Everything>(ctx, validate, data).empty(), data);
    }
  });
}
