// The folded state of an aggregate: a JSON object that events are applied to, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

/// How an event type changes the state.
enum class Fold : std::int64_t { merge = 0, patch = 1, custom = 2 };

class Members;
class Rules;
class Upcast;

/// Keeps the members as JSON text, in the order of their first appearance; nothing is parsed deeper
/// than the fold needs, and what a patch has gone into stays parsed for the next one. So a fold costs
/// what the events and the state are long, however many of them or of their members there are.
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

  /// How many members were read, moved or compared so far: what a test counts.
  [[nodiscard]] std::size_t work() const;

 private:
  friend class Rules;   // rules.h
  friend class Upcast;  // upcast.h
  struct Member {
    std::string raw_key;   ///< as it was first spelled, without quotes
    std::string resolved;  ///< with its escapes resolved; empty where there are none
    std::string value;     ///< of an object that a patch went into: empty, see `inner`
    std::unique_ptr<State> inner;
    bool gone = false;

    [[nodiscard]] std::string_view key() const { return resolved.empty() ? raw_key : resolved; }
    [[nodiscard]] bool is_object() const { return inner != nullptr || value.starts_with('{'); }
    void set(std::string_view text);
    void append(std::string_view element);  ///< nothing where it is no array
  };

  State() = default;
  void open();
  Member* find(std::string_view key);
  Member* find_by_index(std::string_view key);
  Member& add(std::string_view raw_key, std::string_view key);
  Member& at(std::string_view raw_key, std::string_view key);
  void set(std::string_view raw_key, std::string_view key, std::string_view value);
  bool set_expected(Members& member);
  void remove(std::string_view key);
  void remove(Member& member);
  void drop_gone();
  void build_index();
  void put_in_index(std::size_t place);
  void merge(std::string_view data);
  void patch(Members& member, int depth);
  static State& inner_of(Member& member);
  [[nodiscard]] std::size_t length() const;
  void write(std::string& out) const;

  std::string unread_;  // the text, as long as nothing was applied to it; then empty
  std::vector<Member> members_;
  std::vector<std::uint32_t>
      index_;  // places of members by the hash of their key, plus one; 0: none
  std::size_t gone_ = 0;
  std::size_t hint_ = 0;  // events of one type name their members in one order
  std::size_t work_ = 0;
};

/// Whether two JSON texts are the same value, whatever their spelling and order of members.
[[nodiscard]] bool same_json(std::string_view a, std::string_view b);

}  // namespace evercore::ext
