// Rules: how an event type changes the state, told as a JSON array of operations on it.
//
//   SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]');
//   SELECT evercore_event_type('ItemAdded', '[{"add":{"/lines/{/sku}/quantity":"/quantity"}}]');
//
// A declaration is read once into steps of one target and one source each. Of an event's data all sources
// are found in one walk; then step after step changes the state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pointer.h"
#include "state.h"

namespace evercore::ext {

inline constexpr std::size_t max_targets =
    1000;  ///< of one declaration; a merge or patch counts as one

/// What rules may read of an event besides its data.
struct EventFields {
  std::int64_t event_time = 0;
  std::string_view event_type;
  std::string_view reference;  ///< a null data(): none
  std::int64_t sequence = 0;
};

class Rules {
 public:
  /// Of an array that is legal JSON. Throws EV009 with the pointer to the first fault.
  explicit Rules(std::string_view json);

  /// Throws EV004 where `data`, as stored, is no JSON object.
  void apply(State& state, std::string_view data, const EventFields& fields) const;

  /// Whether they read more of an event than its data and its type.
  [[nodiscard]] bool reads_row() const { return reads_row_; }
  /// Whether they do exactly what the fold `merge` does.
  [[nodiscard]] bool only_merge() const;
  /// Whether they say the same: other blanks and escapes, and operations without targets, do not count.
  [[nodiscard]] bool same_as(const Rules& other) const;

 private:
  friend class RulesReader;
  enum class Kind { set, add, subtract, append, remove, merge, patch };
  enum class Field { event_time, event_type, reference, sequence };

  struct Token {
    std::string key;
    std::string raw_key;                 ///< as it stands between quotes
    std::optional<std::size_t> place;    ///< of its name among what is found in the data
    std::optional<std::string> pointer;  ///< in braces
  };
  struct Source {
    std::optional<std::string> pointer;
    std::size_t place = 0;  ///< of the pointer's value
    std::string value;      ///< where it is given in the declaration
    std::optional<Field> field;
  };
  struct Step {
    Kind kind;
    std::vector<Token> target;
    bool named_by_data = false;  ///< one of its tokens at least
    Source source;
  };

  static bool same(const Step& a, const Step& b);
  void run(const Step& step, State& state, std::span<const std::string_view> found,
           const EventFields& fields) const;
  static void change(const Step& step, const std::vector<Token>& path, State& state,
                     std::string_view source);
  static std::optional<std::vector<Token>> path_of(const Step& step,
                                                   std::span<const std::string_view> found);
  static std::string text_of(Field field, const EventFields& fields);

  std::vector<Step> steps_;
  Pointers pointers_;
  bool reads_row_ = false;
};

}  // namespace evercore::ext
