// A document as a list of its values: text that is no JSON is told, and never read beyond its end.
#include "json_tree.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <string>

#include "json.h"

using namespace evercore::ext;

namespace {

/// Reads the text from a block of exactly its size, so that a sanitizer sees a read beyond it.
bool reads(const std::string& text) {
  const std::unique_ptr<char[]> block(new char[text.size() + 1]);
  std::memcpy(block.get(), text.data(), text.size());
  JsonTree tree;
  return tree.read(std::string_view(block.get(), text.size()));
}

}  // namespace

TEST_CASE("a text that is no JSON gives no tree") {
  for (const char* text :
       {"",         " ",      "{",         "[",       "]",        "{\"",   "{\"a",      "{\"a\\",
        "{\"a\\\"", "{\"a\"", "{\"a\" 1}", "{\"a\":", "{\"a\":1", "{a:1}", "{1:2}",     "{\"a\":}",
        "[1",       "[1,",    "[1 2]",     "[\"x",    "[,]",      "[1}",   "{\"a\":1]", "t",
        "tru",      "trie",   "fals",      "nul",     "nil!",     "x",     "1 2",       "{} {}"}) {
    CAPTURE(text);
    CHECK_FALSE(reads(text));
  }
}

TEST_CASE("blanks between its parts are no part of a tree") {
  JsonTree tree;
  REQUIRE(tree.read(" \r\n\t{ \"a\" :\t[ 1 ,\r\n true ] , \"b\" : null } \n"));
  CHECK(tree.size() == 7);
  CHECK(tree[JsonTree::root].count == 2);
}

TEST_CASE("a tree is as deep as a document may be, and no deeper") {
  const auto arrays = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth);
    return std::string(levels, '[') + std::string(levels, ']');
  };
  const auto objects = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "{\"a\":";
    return text + "1" + std::string(static_cast<std::size_t>(depth), '}');
  };
  CHECK(reads(arrays(max_depth)));
  CHECK_FALSE(reads(arrays(max_depth + 1)));
  CHECK(reads(objects(max_depth)));
  CHECK_FALSE(reads(objects(max_depth + 1)));
}

TEST_CASE("two texts are the same whatever their spelling, and differ in each kind of value") {
  CHECK(
      same_in_order(R"({"a":[1,true,null,"é"]})", " { \"a\" : [1.0, true, null, \"\\u00e9\"] } "));
  CHECK_FALSE(same_in_order(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
  CHECK_FALSE(same_in_order("[1]", "[2]"));
  CHECK_FALSE(same_in_order("[true]", "[false]"));
  CHECK_FALSE(same_in_order("[null]", "[0]"));
  CHECK_FALSE(same_in_order("[\"a\"]", "[\"b\"]"));
  CHECK_FALSE(same_in_order("[[1],2]", "[[1,2]]"));
  CHECK_FALSE(same_in_order("[1]", "[1,2]"));
  CHECK_FALSE(same_in_order("[1", "[1]"));
  CHECK_FALSE(same_in_order("[1]", "[1"));
}
