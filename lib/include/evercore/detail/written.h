// Texts that are put together while the program is compiled.
#ifndef EVERCORE_DETAIL_WRITTEN_H
#define EVERCORE_DETAIL_WRITTEN_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore::detail {

// What Writer::write(put) puts, piece by piece: once to count, once to keep.
template <class Writer>
inline constexpr auto written_bytes = [] {
  constexpr std::size_t size = [] {
    std::size_t count = 0;
    Writer::write([&](std::string_view piece) { count += piece.size(); });
    return count;
  }();
  std::array<char, size> text{};
  std::size_t at = 0;
  Writer::write([&](std::string_view piece) {
    for (char c : piece) text[at++] = c;
  });
  return text;
}();

template <class Writer>
constexpr std::string_view written() noexcept {
  return {written_bytes<Writer>.data(), written_bytes<Writer>.size()};
}

// A text as JSON writes it, with its quotes.
template <class Put>
constexpr void put_json_text(Put&& put, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  put("\"");
  for (const char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') put("\\");
    if (byte < 0x20) {
      put("\\u00");
      put(digits.substr(byte >> 4, 1));
      put(digits.substr(byte & 15, 1));
    } else {
      put(std::string_view(&c, 1));
    }
  }
  put("\"");
}

template <class Put>
constexpr void put_json_integer(Put&& put, std::int64_t value) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  auto rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) put("-");
  put(std::string_view(digits.data() + at, digits.size() - at));
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_WRITTEN_H
