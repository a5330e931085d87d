// The payload profile: every case of payload_cases.tsv, and the parser against the scanner.
#include "payload.h"

#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "error.h"
#include "json.h"

using namespace evercore::ext;

namespace {

std::string of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// `depth:array depth 2000` stands for a document too long to be written out.
std::string nested(const std::string& description) {
  const auto depth =
      static_cast<std::size_t>(std::stoul(description.substr(description.rfind(' '))));
  std::string text;
  if (description.find("object") != std::string::npos) {
    for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
    return text + "1" + std::string(depth, '}');
  }
  return "{\"n\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

struct Case {
  std::string name, document, word;
};

std::vector<Case> cases() {
  std::ifstream file("tests/payload_cases.tsv");
  REQUIRE(file.good());
  std::vector<Case> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("name\t")) continue;
    std::istringstream fields(line);
    Case c;
    std::string document;
    std::getline(fields, c.name, '\t');
    std::getline(fields, document, '\t');
    std::getline(fields, c.word, '\t');
    c.document = document.starts_with("depth:") ? nested(document) : of_hex(document);
    if (c.word == "ok") c.word.clear();
    all.push_back(std::move(c));
  }
  return all;
}

std::string refusal(const std::string& document) {
  Payload payload;
  try {
    payload.check("data", document);
  } catch (const Error& failure) {
    return failure.text;
  }
  return {};
}

}  // namespace

TEST_CASE("every payload case gets its word") {
  Payload payload;
  const auto all = cases();
  CHECK(all.size() >= 80);
  for (const Case& c : all) {
    CAPTURE(c.name);
    CHECK(payload.verdict(c.document) == c.word);
    CHECK(find_fault(c.document).word == c.word);
    if (!c.word.empty()) CHECK(refusal(c.document).starts_with("EV004: data: " + c.word));
  }
}

TEST_CASE("a parser that refused a document judges the next one as if nothing had been") {
  Payload payload;
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    (void)payload.verdict(c.document);
    CHECK(payload.verdict(R"({"a":1})").empty());
  }
}

TEST_CASE("the byte of the fault is counted from 1") {
  CHECK(refusal("") == "EV004: data: not JSON at byte 1");
  CHECK(refusal(R"({"a":1,"a":2})") == "EV004: data: duplicate key \"a\" at byte 8");
  CHECK(refusal(R"({"a":01})") == "EV004: data: not JSON at byte 7");
  CHECK(refusal("{\"a\":\"\xff\"}") == "EV004: data: not UTF-8 at byte 7");
  CHECK(refusal(R"({"a":"x\u0000"})") == "EV004: data: NUL at byte 8");
  CHECK(refusal(R"({"a":"\ud800"})") == "EV004: data: lone surrogate at byte 7");
  CHECK(refusal(R"( [1])") == "EV004: data: not an object at byte 2");
  CHECK(refusal(R"({"n":9223372036854775808})") == "EV004: data: number out of range at byte 6");
  CHECK(refusal(R"({"n":1e999})") == "EV004: data: number out of range at byte 6");
}

TEST_CASE("numbers are judged at the edges of int64 and double") {
  Payload payload;
  for (const char* legal :
       {"-9223372036854775808", "9223372036854775807", "1.7976931348623157e308", "-0", "-0.0",
        "4.9e-324", "1e-400", "0e99999", "0.0e400", "1e-16383", "0e-16383", "1.00e-16381",
        "1e00001", "9223372036854775808.0", "9223372036854775808e0", "1E5", "1e+5"}) {
    CAPTURE(legal);
    CHECK(payload.verdict(std::string("{\"n\":") + legal + "}").empty());
    CHECK(find_fault(std::string("{\"n\":") + legal + "}").word.empty());
  }
  for (const char* large :
       {"1.8e308", "1e309", "-1e309", "1e99999999999999999999", "18446744073709551615",
        "-9223372036854775809", "1e-16384", "1.0e-16383", "0e-16384", "0.0e100000", "0e2147483647",
        "1e000001", "1E-20000"}) {
    CAPTURE(large);
    CHECK(payload.verdict(std::string("{\"n\":") + large + "}") == "number out of range");
  }
  const std::string long_number = "1" + std::string(400, '0');
  CHECK(payload.verdict("{\"n\":" + long_number + ".0}") == "number out of range");
  CHECK(payload.verdict("{\"n\":0." + std::string(400, '0') + "1}").empty());
  // 2^1024 - 2^970, at which doubles end, and one below it, in each spelling.
  const std::string end =
      "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797"
      "758720709633028"
      "64166928879109465555478519404026306574886715058206819089020007083836762738548458177115317644"
      "757302700698555"
      "71366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497"
      "792";
  const std::string below = end.substr(0, end.size() - 1) + "1";
  for (const auto& [number, word] : {std::pair(end, "number out of range"), std::pair(below, "")}) {
    for (const std::string& spelled :
         {number + ".0", "-" + number + "e0", "0.000" + number + "e312",
          number.substr(0, 9) + "." + number.substr(9) + "E300", number + "000e-3",
          number.substr(0, 1) + "." + number.substr(1) + "00e+308"}) {
      CAPTURE(spelled);
      CHECK(payload.verdict("{\"n\":" + spelled + "}") == word);
      CHECK(find_fault("{\"n\":" + spelled + "}").word == word);
    }
  }
}

TEST_CASE("duplicate keys are found among many, deep inside, and not between siblings") {
  Payload payload;
  std::string many = "{";
  for (int i = 0; i < 1000; ++i)
    many += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  CHECK(payload.verdict(many + "\"last\":1}").empty());
  CHECK(payload.verdict(many + "\"k500\":1}") == "duplicate key \"k500\"");
  CHECK(payload.verdict(R"({"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":2}]})").empty());
  CHECK(payload.verdict(R"({"a":[0,{"b":{"c":1,"c":2}}]})") == "duplicate key \"c\"");
  CHECK(payload.verdict(R"({"é":1,"\u00e9":2})") == "duplicate key \"é\"");
  CHECK(payload.verdict(R"({"😀":1,"\ud83d\ude00":2})") == "duplicate key \"😀\"");
}

TEST_CASE("a document of exactly 16 MiB is taken and one byte more is too large") {
  Payload payload;
  std::string document = R"({"a":")" + std::string(max_payload_bytes - 8, 'x') + "\"}";
  REQUIRE(document.size() == max_payload_bytes);
  CHECK(payload.verdict(document).empty());
  document.insert(6, "x");
  CHECK(payload.verdict(document) == "too large");
  CHECK(refusal(document) == "EV004: data: too large");
}

TEST_CASE("parser and scanner agree on 20,000 mutated documents") {
  const std::vector<std::string> seeds = {
      R"({"name":"Ann","age":41,"tags":["a","b"],"address":{"city":"Graz","zip":null}})",
      R"({"a":"\u00e9\ud83d\ude00\n","b":-1.5e-3,"c":true,"d":[[],{},""]})",
      R"({"n":9223372036854775807,"m":[0,0.1,1e10],"key \" quoted":"\\"})",
      R"({"x":[{"k":1,"l":2},{"k":2}],"empty":{}} )"};
  const std::string alphabet = "{}[]\",:\\u0d8fnte+-.19 \x01\xc3\xa9\xff";
  std::mt19937 random(20261122);
  Payload payload;
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (unsigned edits = 1 + random() % 3; edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 3);
          break;
        case 1:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        case 2:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
          break;
      }
    }
    bool taken = true;
    try {
      payload.check("data", text);
    } catch (const Error& failure) {
      taken = false;
    }
    const Fault fault = find_fault(text);
    CAPTURE(text);
    REQUIRE(taken == fault.word.empty());
    if (taken) continue;
    ++refused;
    REQUIRE(fault.byte >= 1);
    REQUIRE(fault.byte <= text.size() + 1);
  }
  CHECK(refused > 5000);
}
