#include "sum.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "decimal.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;

std::optional<std::int64_t> integer_value(std::string_view number) {
  std::int64_t integer = 0;
  const char* const end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, integer);
  if (read.ec == std::errc() && read.ptr == end) return integer;
  return integer_of_number(number);
}

/// What underflows is 0.
double double_value(std::string_view number) {
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value;
}

std::string spelled(double sum) {
  auto [digits, exponent] = shortest_decimal(std::abs(sum));
  std::string out = sum < 0 ? "-" : "";
  if (std::abs(sum) >= two_to_63 || exponent < -6) {
    out += digits.front();
    if (digits.size() > 1) out.append(".").append(digits, 1);
    return out + "e" + std::to_string(exponent);
  }
  if (exponent < 0)
    return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  if (digits.size() > whole) digits.insert(whole, ".");
  return out + digits;
}

}  // namespace

std::optional<std::string> sum_of(std::string_view a, std::string_view b, bool subtract) {
  const auto left = integer_value(a);
  const auto right = integer_value(b);
  std::int64_t whole = 0;
  if (left && right &&
      !(subtract ? __builtin_sub_overflow(*left, *right, &whole)
                 : __builtin_add_overflow(*left, *right, &whole))) {
    return std::to_string(whole);
  }
  const double sum =
      subtract ? double_value(a) - double_value(b) : double_value(a) + double_value(b);
  if (!std::isfinite(sum)) return std::nullopt;
  return sum == 0 ? "0" : spelled(sum);
}

}  // namespace evercore::ext
