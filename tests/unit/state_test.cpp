// Folding: merge, RFC 7396 with its appendix, and custom.
#include "state.h"

#include <doctest/doctest.h>

#include <string>

#include "error.h"

using namespace evercore::ext;

namespace {

std::string folded(Fold fold, std::string_view state, std::string_view data) {
  State s(state);
  s.apply(fold, data);
  return s.text();
}

}  // namespace

TEST_CASE("merge replaces whole members and leaves null and absent ones") {
  CHECK(folded(Fold::merge, "{}", R"({"a":1,"b":null})") == R"({"a":1})");
  CHECK(folded(Fold::merge, R"({"a":1,"b":2})", R"({"b":null,"c":{"d":null}})") ==
        R"({"a":1,"b":2,"c":{"d":null}})");
  CHECK(folded(Fold::merge, R"({"a":{"x":1,"y":2}})", R"({"a":{"x":3}})") == R"({"a":{"x":3}})");
  CHECK(folded(Fold::merge, R"({"a":[1]})", R"({"a":[]})") == R"({"a":[]})");
  CHECK(folded(Fold::merge, R"({"a":1})", "{}") == R"({"a":1})");
  CHECK(folded(Fold::merge, R"({"a":1})", " { \"a\" : false } ") == R"({"a":false})");
}

TEST_CASE("patch does what the appendix of RFC 7396 shows for objects") {
  struct Example {
    const char *state, *patch, *result;
  };
  // The appendix's rows whose target and patch are objects; a payload is always one.
  constexpr Example examples[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},)"
       R"("tags":["example","sample"],"content":"This will be unchanged"})",
       R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},)"
       R"("tags":["example"]})",
       R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],)"
       R"("content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})"},
  };
  for (const Example& e : examples) {
    CAPTURE(e.patch);
    const std::string result = folded(Fold::patch, e.state, e.patch);
    CAPTURE(result);
    CHECK(same_json(result, e.result));
  }
}

TEST_CASE("patch removes nulls inside an object that is new") {
  CHECK(folded(Fold::patch, R"({"a":1})", R"({"a":{"b":null,"c":{"d":null,"e":2}}})") ==
        R"({"a":{"c":{"e":2}}})");
  CHECK(folded(Fold::patch, R"({"a":[1]})", R"({"a":{"b":null}})") == R"({"a":{}})");
  CHECK(folded(Fold::patch, "{}", R"({"a":[null,{"b":null}]})") == R"({"a":[null,{"b":null}]})");
}

TEST_CASE("a merge finds its members whether or not they come as in the event before") {
  State state("{}");
  const auto after = [&](std::string_view data, Fold fold = Fold::merge) {
    state.apply(fold, data);
    return state.text();
  };
  CHECK(after(R"({"a":1,"ab":2,"b":3})") == R"({"a":1,"ab":2,"b":3})");
  CHECK(after(R"({"a":4,"ab":5,"b":6})") == R"({"a":4,"ab":5,"b":6})");
  CHECK(after(R"({"ab":7,"a":8})") == R"({"a":8,"ab":7,"b":6})");
  CHECK(after(R"({"b":9,"a":"x"})") == R"({"a":"x","ab":7,"b":9})");
  CHECK(after("{ \"a\" : 1 , \"ab\":\t2,\"b\" :3}") == R"({"a":1,"ab":2,"b":3})");
  CHECK(after(R"({"a":null,"ab":null,"b":[",",{}]})") == R"({"a":1,"ab":2,"b":[",",{}]})");
  CHECK(after(R"({"\u0061":5,"ab":"\"b\":9","b":{}})") == R"({"a":5,"ab":"\"b\":9","b":{}})");
  CHECK(after(R"({"ab":null})", Fold::patch) == R"({"a":5,"b":{}})");
  CHECK(after(R"({"a":6,"ab":7,"b":8})") == R"({"a":6,"b":8,"ab":7})");
  CHECK(after(R"({"a":{"b":1}})", Fold::patch) == R"({"a":{"b":1},"b":8,"ab":7})");
  CHECK(after(R"({"a":10,"b":11,"ab":12,"c":13})") == R"({"a":10,"b":11,"ab":12,"c":13})");
  CHECK(after(R"({"a": 14,"b": "x"})") == R"({"a":14,"b":"x","ab":12,"c":13})");
  CHECK(after(R"({"abx:1,":15})") == R"({"a":14,"b":"x","ab":12,"c":13,"abx:1,":15})");
  State damaged(R"({"a":1,"b":2})");
  CHECK_THROWS_AS(damaged.apply(Fold::merge, R"({"a":"x";"b":1})"), Error);
  CHECK_THROWS_AS(state.apply(Fold::merge, R"({"a":)"), Error);
  CHECK_THROWS_AS(state.apply(Fold::merge, R"({"a":1,"b":)"), Error);
}

TEST_CASE("custom passes the state through") {
  CHECK(folded(Fold::custom, R"({"a":1})", R"({"a":2})") == R"({"a":1})");
}

TEST_CASE("keys spelled with escapes are the same keys") {
  CHECK(folded(Fold::merge, R"({"a":1})", R"({"\u0061":2})") == R"({"a":2})");
  CHECK(folded(Fold::patch, R"({"\u0061":1,"b":2})", R"({"a":null})") == R"({"b":2})");
  CHECK(same_json(R"({"a":1,"b":[1.0,"é"]})", R"({"b":[1,"\u00e9"],"\u0061":1})"));
  CHECK_FALSE(same_json(R"({"a":1})", R"({"a":1,"b":2})"));
  CHECK_FALSE(same_json(R"({"a":1,"c":2})", R"({"a":1,"b":2})"));
  CHECK_FALSE(same_json(R"([1,2])", R"([1,2,3])"));
  CHECK_FALSE(same_json(R"({"a":1})", R"({"a":"1"})"));
}

TEST_CASE("members keep the order of their first appearance over many events") {
  State state("{}");
  for (int i = 0; i < 100; ++i) {
    state.apply(Fold::merge, "{\"k" + std::to_string(i % 10) + "\":" + std::to_string(i) + "}");
  }
  CHECK(state.text() ==
        R"({"k0":90,"k1":91,"k2":92,"k3":93,"k4":94,"k5":95,"k6":96,"k7":97,"k8":98,"k9":99})");
  state.apply(Fold::patch, R"({"k0":null,"k9":null,"k5":null})");
  state.apply(Fold::merge, R"({"k9":1,"k1":2})");
  CHECK(state.text() == R"({"k1":2,"k2":92,"k3":93,"k4":94,"k6":96,"k7":97,"k8":98,"k9":1})");
}

TEST_CASE("a document nested as deep as the profile allows folds") {
  std::string deep = "1";
  for (int i = 0; i < 512; ++i) deep = "{\"a\":" + deep + "}";
  CHECK(folded(Fold::patch, "{}", deep) == deep);
  CHECK(folded(Fold::patch, deep, deep) == deep);
}

TEST_CASE("a state from its text is read once, and spelled as states are") {
  const std::string text = R"({"a":{"b":[1, 2]},"c":null})";
  State state(text);
  CHECK(state.work() == 2);
  CHECK(state.text() == text);
  CHECK(State(R"( { "a" : 1 , "b" : {} } )").text() == R"({"a":1,"b":{}})");
  CHECK(folded(Fold::patch, R"({"a":{"x":{ "y" : 1}}})", R"({"a":{"x":{"z":2}}})") ==
        R"({"a":{"x":{"y":1,"z":2}}})");
  CHECK(folded(Fold::patch, R"({"a":{"b":1}})", R"({"a":{}})") == R"({"a":{"b":1}})");
  CHECK(folded(Fold::merge, folded(Fold::patch, "{}", R"({"a":{"b":1}})"), R"({"a":2})") ==
        R"({"a":2})");
}

namespace {

/// The work of n events, each made from its number.
template <typename Event>
std::size_t work_of(int n, Fold fold, Event event, const std::string& start = "{}") {
  State state(start);
  for (int i = 0; i < n; ++i) state.apply(fold, event(i));
  return state.work();
}

/// An object of n members.
std::string wide(int n) {
  std::string text = "{";
  for (int i = 0; i < n; ++i)
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
  return text + "}";
}

}  // namespace

TEST_CASE("a fold works in proportion to what it reads") {
  const auto one = [](int i) { return "{\"k" + std::to_string(i) + "\":1}"; };
  const auto nested = [](int i) {
    return "{\"items\":{\"k" + std::to_string(i) + "\":{\"n\":1}}}";
  };
  const auto removal = [](int i) { return "{\"k" + std::to_string(i) + "\":null}"; };
  const auto backwards = [](int i) { return "{\"k" + std::to_string(9999 - i) + "\":2}"; };
  CHECK(work_of(40000, Fold::merge, one) < 40000 * 12);
  CHECK(work_of(40000, Fold::patch, nested) < 40000 * 16);
  CHECK(work_of(10000, Fold::patch, removal, wide(10000)) < 10000 * 16);
  CHECK(work_of(10000, Fold::merge, backwards, wide(10000)) < 10000 * 16);
  State whole("{}");
  whole.apply(Fold::merge, wide(40000));
  CHECK(whole.work() < 40000 * 12);
  CHECK(State(wide(40000)).work() == 40000);
}

TEST_CASE("members removed and set anew again and again are forgotten") {
  State state("{}");
  for (int i = 0; i < 20000; ++i) {
    const std::string key = "{\"k" + std::to_string(i);
    state.apply(Fold::merge, key + "\":1}");
    state.apply(Fold::patch, key + "\":null}");
  }
  CHECK(state.text() == "{}");
  CHECK(state.work() < 20000 * 24);
  state.apply(Fold::merge, R"({"a":1,"k5":2})");
  CHECK(state.text() == R"({"a":1,"k5":2})");
}

TEST_CASE("stored text that is no object is EV004 and not a crash") {
  std::string endless;
  for (int i = 0; i < 100000; ++i) endless += "{\"a\":";
  State shallow("{}");
  CHECK_THROWS_AS(shallow.apply(Fold::patch, endless), Error);
  for (const char* bad : {"", "x", "[1]", "{\"a\"", "{\"a\":", "\"a\""}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(State{bad}, Error);
    State state("{}");
    CHECK_THROWS_AS(state.apply(Fold::merge, bad), Error);
    CHECK_THROWS_AS(state.apply(Fold::patch, bad), Error);
  }
}

TEST_CASE("two texts are the same JSON where their values are, in every kind of them") {
  for (const auto& [a, b] :
       {std::pair("{\"a\":1,\"b\":[true,null,\"x\",1.5]}",
                  "{ \"a\":1, \"b\":[true, null, \"x\", 15e-1] }"),
        std::pair("[1]", "[1.0]"), std::pair("[18446744073709551615]", "[18446744073709551615]"),
        std::pair("[]", "[ ]"), std::pair("[{}]", "[{}]")}) {
    CAPTURE(a);
    CHECK(same_json(a, b));
  }
  for (const auto& [a, b] :
       {std::pair("[1]", "[2]"), std::pair("[1.5]", "[2.5]"), std::pair("[1.5]", "[1]"),
        std::pair("[18446744073709551615]", "[18446744073709551614]"),
        std::pair("[true]", "[false]"), std::pair("[null]", "[false]"),
        std::pair("[\"x\"]", "[\"y\"]"), std::pair("[1]", "[1,2]"), std::pair("[[]]", "[{}]"),
        std::pair("{\"a\":1}", "{\"b\":1}"), std::pair("{\"a\":1}", "{\"a\":2}"),
        std::pair("{\"a\":1}", "{\"a\":1,\"b\":2}"), std::pair("[1", "[1]"),
        std::pair("[1]", "[1")}) {
    CAPTURE(a);
    CHECK_FALSE(same_json(a, b));
  }
}
