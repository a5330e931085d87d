// The shortest decimal of a double, beside the standard library's.
#include "decimal.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace {

using evercore::ext::number_text;
using evercore::ext::shortest_decimal;

/// What differs from std::to_chars, or nothing.
std::string difference(double number) {
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific)
          .ptr;
  const std::string expected(text.data(), end);
  const auto [digits, exponent] = shortest_decimal(number);
  std::string said = digits.substr(0, 1);
  if (digits.size() > 1) said += "." + digits.substr(1);
  said += exponent < 0 ? "e-" : "e+";
  if (std::abs(exponent) < 10) said += "0";
  said += std::to_string(std::abs(exponent));
  return said == expected ? "" : said + " instead of " + expected;
}

}  // namespace

TEST_CASE("the shortest decimal of powers of two and what lies beside them") {
  for (int power = -1074; power < 1024; ++power) {
    const double number = std::ldexp(1.0, power);
    CHECK(difference(number) == "");
    CHECK(difference(std::nextafter(number, 1e308)) == "");
    if (power > -1074) CHECK(difference(std::nextafter(number, 0)) == "");
  }
}

TEST_CASE("the shortest decimal of random numbers, of sums of decimals and of integers") {
  std::mt19937_64 dice(20261129);
  for (int i = 0; i < 20000; ++i) {
    const double any = std::abs(std::bit_cast<double>(dice()));
    if (std::isfinite(any) && any > 0) CHECK(difference(any) == "");
    const double cents = static_cast<double>(dice() % 100000 + 1) / 100;
    CHECK(difference(cents) == "");
    CHECK(difference(cents + 0.1) == "");
    CHECK(difference(static_cast<double>(dice() | 1)) == "");
  }
}

TEST_CASE("numbers are written as PostgreSQL writes them") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(number_text(100000) == "100000");
  CHECK(number_text(999999999999999) == "999999999999999");
  CHECK(number_text(1e15) == "1e+15");
  CHECK(number_text(-1234567890123457024.0) == "-1.234567890123457e+18");
  CHECK(number_text(0.0001) == "0.0001");
  CHECK(number_text(0.00001) == "1e-05");
  CHECK(number_text(1e300) == "1e+300");
  CHECK(number_text(std::numeric_limits<double>::denorm_min()) == "5e-324");
  CHECK(number_text(-0.0) == "-0");
  CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-Infinity");
}
