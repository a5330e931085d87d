// The texts of a schema, read as SQLite reads them, however a tool has spelled them anew.
#include "schema_text.h"

#include <doctest/doctest.h>

#include <string>

#include "json.h"

using namespace evercore::ext;

namespace {

std::string tokens(std::string_view sql) {
  std::string out;
  for (const SqlToken& token : tokens_of(sql)) out += token.text + "|";
  return out;
}

std::string parts(std::string_view create_table) {
  const TableText table = table_text_of(create_table);
  if (!table.readable) return "not readable";
  std::string out;
  for (const TableText::Part& part : table.parts) out += part.name + ": " + part.text + "\n";
  return out + table.options;
}

}  // namespace

TEST_CASE("blanks, comments, case and the quotes of names make no difference") {
  CHECK(same_sql("CREATE TABLE t (a INTEGER)",
                 "create\ttable \"t\"\n(\r`A`\f[integer]) -- of ours\n;"));
  CHECK(same_sql("CREATE TABLE t (a)", "CREATE/* a * table */TABLE t(a);;"));
  CHECK(same_sql("CREATE TABLE t (a)", "CREATE TABLE t (a) -- to the end"));
  CHECK(same_sql("CREATE TABLE t (a)", "CREATE TABLE t (a) /* to the end"));
  CHECK(same_sql("SELECT \"a\"\"b\", c", "select \"A\"\"B\",c"));
  CHECK_FALSE(same_sql("SELECT 'a'", "SELECT 'A'"));
  CHECK_FALSE(same_sql("SELECT 'a'", "SELECT a"));
  CHECK_FALSE(same_sql("SELECT a - b", "SELECT a --b"));
}

TEST_CASE("a quote that nothing closes reaches to the end of the text") {
  CHECK(tokens("a 'it''s'") == "a|'it''s'|");
  CHECK(tokens("a 'open") == "a|'open|");
  CHECK(tokens("a \"") == "a|\"|");
  CHECK(tokens("a$b _c1 é / 'x'") == "a$b|_c1|é|/|'x'|");
}

TEST_CASE("a table is its columns, its constraints and its options") {
  CHECK(parts("CREATE TABLE t (a INTEGER PRIMARY KEY, \"B\" TEXT CHECK (b IN ('x', 'y')),"
              " UNIQUE (a, b), CONSTRAINT c CHECK (a > 0), PRIMARY KEY (a), FOREIGN KEY (a)"
              " REFERENCES u (a)) STRICT") ==
        "a: a integer primary key\n"
        "b: b text check ( b in ( 'x' , 'y' ) )\n"
        ": unique ( a , b )\n"
        ": constraint c check ( a > 0 )\n"
        ": primary key ( a )\n"
        ": foreign key ( a ) references u ( a )\n"
        "strict");
  CHECK(parts("CREATE TABLE t (a, )") == "a: a\n");
  for (const char* other : {"", "CREATE TABLE t", "CREATE TABLE t (a", "CREATE TABLE t (a, (b)"}) {
    CAPTURE(other);
    CHECK(parts(other) == "not readable");
  }
}

TEST_CASE("an index is its columns and its condition") {
  const IndexText partial = index_text_of("CREATE INDEX i ON t (a, lower(b)) WHERE a > 0");
  CHECK(partial.columns == "a, lower(b)");
  CHECK(trim(partial.where) == "a > 0");
  const IndexText whole = index_text_of("CREATE INDEX i ON t (a)");
  CHECK(whole.columns == "a");
  CHECK(whole.where.empty());
  CHECK(index_text_of("CREATE INDEX i ON t (a) ASC b").where.empty());
  CHECK(index_text_of("CREATE INDEX i").columns.empty());
  CHECK(index_text_of("CREATE INDEX i ON t (a").columns.empty());
}
