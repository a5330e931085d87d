// Times as the surface knows them: text in, text out, microseconds since 1970 UTC in between.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace evercore::ext {

inline constexpr std::size_t time_text_size = 27;  ///< of 2026-11-21T22:10:41.123456Z

/// The first and the last microsecond of the years 1 to 9999.
inline constexpr std::int64_t least_time = -62'135'596'800'000'000;
inline constexpr std::int64_t most_time = 253'402'300'799'999'999;

/// Parses `YYYY-MM-DD[Thh:mm[:ss[.1–9 digits]][Z|±hh[[:]mm]|±hh:mm:ss]]`: a blank or t for the T, z
/// for the Z, digits after the sixth cut, UTC where no offset stands, midnight where no time does.
/// Gives microseconds since 1970, or nothing for any other text and outside the years 1–9999.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

/// Writes a time of the years 1–9999 as 27 characters, without a terminating NUL.
void format_time(std::int64_t microseconds, std::array<char, time_text_size>& text);

/// Writes times one after the other, faster than format_time where they lie in the same second.
class TimeWriter {
 public:
  /// The text of a time of the years 1–9999, ended with a NUL; until the next call.
  const char* at(std::int64_t microseconds);

 private:
  std::array<char, time_text_size + 1> text_{};
  std::int64_t second_ = INT64_MIN;  // of text_
  std::int64_t microseconds_ = INT64_MIN;
};

/// Now, by the machine's clock.
[[nodiscard]] std::int64_t now();

}  // namespace evercore::ext
