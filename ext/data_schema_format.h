// The formats that schemas of data assert.
#pragma once

#include <optional>
#include <string_view>

namespace evercore::ext {

enum class Format { date_time, date, uuid };

[[nodiscard]] std::optional<Format> format_of(std::string_view name);

/// RFC 3339 for `date-time` and `date`, RFC 4122 for `uuid`.
[[nodiscard]] bool is_of_format(std::string_view text, Format format);

}  // namespace evercore::ext
