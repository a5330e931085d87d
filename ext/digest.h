// SHA-256 (FIPS 180-4), for the event_ids of compacted events: their data is gone, and a repeat
// must still be told from other content.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace evercore::ext {

[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::string_view bytes);

}  // namespace evercore::ext
