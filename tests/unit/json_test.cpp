// Walking JSON in place: legal text gives its members, other text never takes a read past its end.
#include "json.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

using namespace evercore::ext;

namespace {

std::string members(std::string_view text) {
  std::string out;
  Members member(text);
  while (member.next()) {
    out += std::string(member.raw_key()) + "=" + std::string(member.value()) + ";";
  }
  return member.failed() ? out + "failed" : out;
}

std::string elements(std::string_view text) {
  std::string out;
  Elements element(text);
  while (element.next()) out += std::string(element.value()) + ";";
  return element.failed() ? out + "failed" : out;
}

/// The text in a block of exactly its size, so that a sanitizer sees a read beyond it.
template <typename Use>
void in_exact_block(const std::string& text, Use use) {
  const std::unique_ptr<char[]> block(new char[text.size()]);
  if (!text.empty()) std::memcpy(block.get(), text.data(), text.size());
  use(std::string_view(block.get(), text.size()));
}

}  // namespace

TEST_CASE("members come in their order with their values as written") {
  CHECK(members(R"({"a":1,"b":"x,}","c":{"d":[1,{"e":"]"}]},"f":null})") ==
        R"(a=1;b="x,}";c={"d":[1,{"e":"]"}]};f=null;)");
  CHECK(members(" { \"a\" :\t1 , \"b\"\n: [ 1 , 2 ] } ") == "a=1;b=[ 1 , 2 ];");
  CHECK(members("{}").empty());
  CHECK(members(" { } ").empty());
  CHECK(members(R"({"a\"b":"c\\"})") == R"(a\"b="c\\";)");
}

TEST_CASE("elements come in their order with their values as written") {
  CHECK(elements(R"([1,"a",{"b":[2]},[],null])") == R"(1;"a";{"b":[2]};[];null;)");
  CHECK(elements("[]").empty());
  CHECK(elements(" [ 1 , 2 ] ") == "1;2;");
}

TEST_CASE("malformed text makes the walk fail instead of reading on") {
  for (const char* text : {"", " ", "x", "[", "{", R"({"a)", R"({"a")", R"({"a":)", R"({"a":"x)",
                           R"({"a":1)", R"({"a":{)", R"({"a":[1)", R"({a:1})", R"({"a" 1})",
                           R"({"a":1 "b":2})", R"({"a\)", R"({"a":"\)", R"({"a":1,)"}) {
    CAPTURE(text);
    in_exact_block(text, [](std::string_view t) { CHECK(members(t).ends_with("failed")); });
  }
  for (const char* text : {"", "{", "[", "[1", "[1,", "[1 2]", "[\"", "[\"\\", "[{", "[[1]"}) {
    CAPTURE(text);
    in_exact_block(text, [](std::string_view t) { CHECK(elements(t).ends_with("failed")); });
  }
}

TEST_CASE("no prefix of a document takes a walk past its end") {
  const std::string text = R"( {"a\u00e9\ud83d\ude00":"x\\\"","b":[1,{"c":[[]]},"]"],"d":-1.5e3} )";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    in_exact_block(text.substr(0, size), [](std::string_view t) {
      (void)members(t);
      (void)elements(t);
      (void)unescape(t);
      (void)trim(t);
      (void)find_fault(t);
    });
  }
}

TEST_CASE("random bytes take no walk past their end") {
  std::mt19937 random(7);
  const std::string alphabet = "{}[]\",:\\u0d8f 1-";
  for (int round = 0; round < 20000; ++round) {
    std::string text = round % 2 == 0 ? "{" : "[";
    for (unsigned i = random() % 24; i > 0; --i) text += alphabet[random() % alphabet.size()];
    in_exact_block(text, [](std::string_view t) {
      (void)members(t);
      (void)elements(t);
      (void)unescape(t);
      (void)find_fault(t);
    });
  }
}

TEST_CASE("escapes resolve to the text they stand for") {
  CHECK(unescape(R"(a\"\\\/\b\f\n\r\tz)") == "a\"\\/\b\f\n\r\tz");
  CHECK(unescape(R"(\u0041\u00e9\u20ac\ud83d\ude00)") == "Aé€😀");
  CHECK(unescape(R"(\u00E9)") == "é");
  CHECK(unescape("") == "");
}

TEST_CASE("quoting a text and resolving it again gives the text") {
  std::string text;
  for (int c = 1; c < 128; ++c) text += static_cast<char>(c);
  text += "é€😀";
  std::string quoted;
  append_quoted(quoted, text);
  CHECK(find_fault("{\"a\":" + quoted + "}").word.empty());
  CHECK(unescape(quoted.substr(1, quoted.size() - 2)) == text);
}

TEST_CASE("a text fits where its containers are no deeper than the levels that are left") {
  CHECK(fits("1", 0));
  CHECK(fits("\"[[[[\"", 0));
  CHECK(fits("[]", 1));
  CHECK_FALSE(fits("[]", 0));
  CHECK(fits(R"([{"a":[]},[1],{"b":2}])", 3));
  CHECK_FALSE(fits(R"([{"a":[]},[1],{"b":2}])", 2));
  CHECK(fits(R"({"[[[\"[[[":"]]]{{{","a":["[","\\"]})", 2));
  CHECK_FALSE(fits(R"({"[[[\"[[[":"]]]{{{","a":["[",["\\"]]})", 2));
}
