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

// SELECT and the columns of the log, and Rest; First may stand in the place of the first of them:
//
//     select_events<" FROM {}evercore_follow($1, $2)">.data()
template <Literal Rest, Literal First = "position">
inline constexpr auto select_events = [] {
  constexpr std::string_view first = First.view(), rest = Rest.view(), begin = "SELECT ";
  constexpr auto& names = reflect::member_names<RecordedEvent>;
  static_assert(names[0] == "position");
  std::array<char,
             begin.size() + first.size() + length_of_columns() - names[0].size() + rest.size() + 1>
      text{};
  auto end = std::copy(begin.begin(), begin.end(), text.begin());
  end = std::copy(first.begin(), first.end(), end);
  for (std::size_t i = 1; i < names.size(); ++i) {
    constexpr std::string_view between = ", ";
    end = std::copy(between.begin(), between.end(), end);
    end = std::copy(names[i].begin(), names[i].end(), end);
  }
  std::copy(rest.begin(), rest.end(), end);
  return text;
}();

// A row of such a statement. Throws what the row throws.
RecordedEvent recorded_event(const Row& row);

}  // namespace evercore::detail

#endif
