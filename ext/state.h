// The folded state of an aggregate: a JSON object that events are applied to, one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

/// How an event type changes the state.
enum class Fold : std::int64_t { merge = 0, patch = 1, custom = 2 };

/// Keeps the members as slices of JSON text, in the order of their first appearance; nothing is
/// parsed deeper than the fold needs. A plain value.
///
///     State state("{}");
///     state.apply(Fold::merge, R"({"name":"Ann","email":null})");
///     state.text();  // {"name":"Ann"}
class State {
 public:
  /// `object` is a JSON object; throws EV004 where the stored text is none.
  explicit State(std::string_view object);

  /// Throws EV004 where `data`, as stored, is no JSON object.
  void apply(Fold fold, std::string_view data);

  [[nodiscard]] std::string text() const;

 private:
  struct Member {
    std::string raw_key;  ///< as it was first spelled, without quotes
    std::string key;      ///< with its escapes resolved
    std::string value;
  };

  Member* find(std::string_view key);
  void set(std::string_view raw_key, std::string_view key, std::string_view value);
  void remove(std::string_view key);
  void merge(std::string_view data);
  void patch(std::string_view data);

  std::vector<Member> members_;
  std::size_t hint_ = 0;  // events of one type name their members in one order
};

/// Whether two JSON texts are the same value, whatever their spelling and order of members.
[[nodiscard]] bool same_json(std::string_view a, std::string_view b);

}  // namespace evercore::ext
