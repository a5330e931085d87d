// An event as stored, out of a row of the log. RecordedEvent is the only list of the log's columns in
// the library: its members' names, in their order, are what every statement selects, and a member's
// type says how its column is read.
#ifndef EVERCORE_SRC_RECORDED_EVENT_H
#define EVERCORE_SRC_RECORDED_EVENT_H

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "evercore/engine.h"
#include "evercore/event.h"
#include "evercore/reflect.h"

namespace evercore::detail {

// A text as a template's argument.
template <std::size_t Size>
struct Literal {
  consteval Literal(const char (&text)[Size]) { std::copy_n(text, Size, characters); }  // NOLINT
  [[nodiscard]] constexpr std::string_view view() const { return {characters, Size - 1}; }
  char characters[Size]{};
};

consteval std::size_t length_of_columns() {
  std::size_t length = 0;
  for (const std::string_view name : reflect::member_names<RecordedEvent>) {
    length += (length > 0 ? 2 : 0) + name.size();
  }
  return length;
}

// SELECT and the columns of the log, and Rest:
//
//     select_events<" FROM {}evercore_follow($1, $2)">.data()
template <Literal Rest>
inline constexpr auto select_events = [] {
  constexpr std::string_view begin = "SELECT ";
  std::array<char, begin.size() + length_of_columns() + Rest.view().size() + 1> text{};
  auto end = std::copy(begin.begin(), begin.end(), text.begin());
  std::string_view between;
  for (const std::string_view name : reflect::member_names<RecordedEvent>) {
    end = std::copy(between.begin(), between.end(), end);
    end = std::copy(name.begin(), name.end(), end);
    between = ", ";
  }
  std::copy(Rest.view().begin(), Rest.view().end(), end);
  return text;
}();

// A row of such a statement. Throws what the row throws.
RecordedEvent recorded_event(const Row& row);

}  // namespace evercore::detail

#endif
