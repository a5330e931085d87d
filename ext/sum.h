// Sums of JSON numbers: of integers exactly, of all else as doubles.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace evercore::ext {

/// The text of `a` + `b`, or of `a` - `b`: an integer where both are within int64, however they are spelled,
/// and the sum is too; else the fewest digits that read back as the double, then zeros, and from 2^63 on an
/// exponent. So the text alone says what a later sum goes on from. Nothing where the sum is not finite.
[[nodiscard]] std::optional<std::string> sum_of(std::string_view a, std::string_view b,
                                                bool subtract);

/// Whether a JSON value is a number.
[[nodiscard]] inline bool is_number(std::string_view json) {
  return !json.empty() && (json.front() == '-' || (json.front() >= '0' && json.front() <= '9'));
}

}  // namespace evercore::ext
