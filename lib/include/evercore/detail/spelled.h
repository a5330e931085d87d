// What a compiler calls things, out of the text that it gives a function of its own signature.
#ifndef EVERCORE_DETAIL_SPELLED_H
#define EVERCORE_DETAIL_SPELLED_H

#include <cstddef>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore::reflect::detail {

template <auto Value>
constexpr std::string_view spelled() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

template <class T>
constexpr std::string_view spelled_type() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

constexpr bool is_name_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// The last identifier in a piece of the compiler's text: the member's name, or the type's.
constexpr std::string_view last_name(std::string_view text) noexcept {
  while (!text.empty() && !is_name_byte(text.back())) text.remove_suffix(1);
  std::size_t start = text.size();
  while (start > 0 && is_name_byte(text[start - 1])) --start;
  return text.substr(start);
}

}  // namespace evercore::reflect::detail

#endif  // EVERCORE_DETAIL_SPELLED_H
