// The table of codes: those of the surface, and what drivers will make of them.
#include "error.h"

#include <doctest/doctest.h>

#include <string>

using namespace evercore::ext;

TEST_CASE("the codes are EV001 to EV011 in their order") {
  REQUIRE(std::size(error_codes) == 11);
  for (std::size_t i = 0; i < std::size(error_codes); ++i) {
    char code[8];
    std::snprintf(code, sizeof code, "EV%03zu", i + 1);
    CHECK(std::string(error_codes[i].code) == code);
    CHECK(std::string(error_codes[i].meaning).size() > 5);
    CHECK(error(static_cast<int>(i + 1), "why").text == std::string(code) + ": why");
  }
}

TEST_CASE("conflicts, taken keys and other content are constraints to a driver") {
  for (int number = 1; number <= 11; ++number) {
    const bool constraint = number == 1 || number == 3 || number == 7 || number == 11;
    CAPTURE(number);
    CHECK(error(number, "").sqlite_code ==
          (constraint ? SQLITE_CONSTRAINT_FUNCTION : SQLITE_ERROR));
  }
}

TEST_CASE("in the INSERT form faults of a row are constraints and faults of the store are not") {
  for (int number : {1, 2, 3, 4, 5, 7, 9, 11}) CHECK(error(number, "").row_fault);
  for (int number : {6, 8, 10}) CHECK_FALSE(error(number, "").row_fault);
}

TEST_CASE("the texts are those that both engines say") {
  CHECK(conflict(7, 4, 3).text == "EV001: conflict: aggregate 7 is at sequence 4, expected 3");
  CHECK(null_aggregate().text == "EV002: aggregate id is NULL: evercore_find found none");
  CHECK(no_aggregate(7).text == "EV002: no aggregate 7");
  CHECK(erased_aggregate(7).text == "EV002: aggregate 7 was erased");
  CHECK(no_sequence(7, 12, 4).text == "EV002: aggregate 7 has no sequence 12: it is at 4");
  CHECK(compacted_sequence(7, 3, 10).text ==
        "EV002: sequence 3 of aggregate 7 was compacted: the oldest that can be read is 10");
  CHECK(key_taken("User", "ann").text ==
        "EV003: natural key \"ann\" is taken in aggregate type \"User\"");
  CHECK(out_of_range("expected", -1).text == "EV009: expected is out of range: -1");
}
