// Doubles as the shortest decimal text that reads back as them. std::to_chars would bring 128 kB of tables.
#pragma once

#include <string>

namespace evercore::ext {

/// digits[0] . digits[1] digits[2] … times ten to the exponent; no zeros at the end.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

/// The shortest decimal that reads back as a finite number above 0, and of those the closest to it.
[[nodiscard]] Decimal shortest_decimal(double number);

/// A number as PostgreSQL writes a double: 0.1, 100000, 1e+15, Infinity.
[[nodiscard]] std::string number_text(double number);

}  // namespace evercore::ext
