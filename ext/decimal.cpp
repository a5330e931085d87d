#include "decimal.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace evercore::ext {

namespace {

constexpr int most_precision = 16;  ///< digits behind the first that tell all doubles apart

/// The closest decimal with so many digits behind the first, zeros at its end included. Whatever the locale's point
/// is, it is passed over.
Decimal rounded(double number, int precision) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%.*e", precision, number);
  const std::string_view all = text.data();
  const std::size_t e = all.find('e');
  Decimal decimal{{}, std::atoi(text.data() + e + 1)};
  for (const char c : all.substr(0, e)) {
    if (c >= '0' && c <= '9') decimal.digits += c;
  }
  return decimal;
}

bool reads_back(const Decimal& decimal, double number) {
  const int scale = decimal.exponent + 1 - static_cast<int>(decimal.digits.size());
  return std::strtod((decimal.digits + "e" + std::to_string(scale)).c_str(), nullptr) == number;
}

/// The next decimal of as many digits.
Decimal next(const Decimal& decimal) {
  Decimal above{std::to_string(std::strtoull(decimal.digits.c_str(), nullptr, 10) + 1),
                decimal.exponent};
  if (above.digits.size() > decimal.digits.size()) ++above.exponent;
  return above;
}

}  // namespace

Decimal shortest_decimal(double number) {
  // A decimal of 15 digits is told from all others, so a shorter one is those 15 with zeros at the end; not so for
  // the smallest numbers, which have fewer bits.
  const bool normal = number >= std::numeric_limits<double>::min();
  int precision = normal ? std::numeric_limits<double>::digits10 - 1 : 0;
  Decimal decimal = rounded(number, precision);
  while (precision < most_precision && !reads_back(decimal, number)) {
    // Above a power of two doubles lie farther apart than below it: what reads back may not be the closest.
    const Decimal above = next(decimal);
    if (reads_back(above, number)) {
      decimal = above;
      break;
    }
    decimal = rounded(number, ++precision);
  }
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  return decimal;
}

std::string number_text(double number) {
  if (number == 0) return std::signbit(number) ? "-0" : "0";
  const std::string sign = std::signbit(number) ? "-" : "";
  if (std::isinf(number)) return sign + "Infinity";
  auto [digits, exponent] = shortest_decimal(std::abs(number));
  if (exponent < -4 || exponent > 14) {
    if (digits.size() > 1) digits.insert(1, ".");
    const std::string power = std::to_string(std::abs(exponent));
    return sign + digits + (exponent < 0 ? "e-" : "e+") + (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  if (digits.size() > whole) digits.insert(whole, ".");
  return sign + digits;
}

}  // namespace evercore::ext
