// Declared tags: what an event type says its events are about, derived from their data.
//
//   SELECT evercore_event_type('StudentSubscribed', NULL, '{"tags":{"course":"/course_id","student":"/students"}}');
//
// {"course_id":"c1","students":["s1","s2"]} has course:c1, student:s1 and student:s2. A text or an
// integer gives a tag, an array one for each element that is either, anything else none.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tag.h"
#include "upcast.h"

namespace evercore::ext {

struct NewEvent;
class StoredSchema;  // data_schema_check.h

/// The declaration of one event type.
class DeclaredTags {
 public:
  /// Of the member "tags" of the options, which is legal JSON: null, [] and {} declare none. Throws EV005
  /// and EV009.
  explicit DeclaredTags(std::string_view json);

  [[nodiscard]] bool empty() const { return members_.empty(); }
  /// Calls `take` with each tag that the data give, in the order of the declaration, repeats too.
  void derive(std::string_view data, const std::function<void(std::string_view)>& take) const;
  /// Whether a tag begins with one of the prefixes.
  [[nodiscard]] bool may_derive(std::string_view tag) const;

  friend bool operator==(const DeclaredTags&, const DeclaredTags&) = default;

 private:
  struct Member {
    std::string prefix;                ///< with its colon
    std::vector<std::string> pointer;  ///< the tokens
    friend bool operator==(const Member&, const Member&) = default;
  };
  std::vector<Member> members_;
};

/// What this connection has read of a store's declarations: event types with tags, a schema or an upcast, and
/// the schemas of states. They are read again when the store shows the mark of another declaration
/// (Connection::look_again), and when one of this connection's own may have been rolled back.
class DeclaredTypes {
 public:
  struct Type {
    std::int64_t type_id = 0;
    std::string name;
    bool declares_tags = false;
    std::optional<DeclaredTags> tags;      ///< none: it declares none, or what is stored is damaged
    bool filled = true;                    ///< old events bear them too
    std::shared_ptr<StoredSchema> schema;  ///< of its data; null: it declares none
    StoredUpcast upcast;
  };

  /// The tags: null where the type declares none. EV008 where its declaration is damaged.
  const DeclaredTags* find(Connection& connection, std::string_view event_type) {
    const Type* found = type(connection, event_type);
    return found == nullptr || !found->declares_tags ? nullptr : &sound(*found);
  }
  /// All that it declares, damaged or not; null where that is nothing.
  const Type* type(Connection& connection, std::string_view event_type) {
    if (!known_) load(connection);
    return types_.empty() ? nullptr : find_among(event_type);
  }
  /// What the states of an aggregate type must be; null: it declares no schema.
  StoredSchema* of_states(Connection& connection, std::int64_t aggregate_type) {
    if (!known_) load(connection);
    if (states_.empty()) return nullptr;
    const auto found = states_.find(aggregate_type);
    return found == states_.end() ? nullptr : found->second.get();
  }
  /// Whether the aggregate's states were checked when it was last appended to. A hint, which may be out of
  /// date.
  [[nodiscard]] bool seen_checked(std::int64_t aggregate_id) const {
    return seen_checked_[place_of(aggregate_id)] == aggregate_id;
  }
  void note_checked(std::int64_t aggregate_id) {
    seen_checked_[place_of(aggregate_id)] = aggregate_id;
  }
  /// The types whose old events may still lack declared tags.
  const std::vector<const Type*>& unfilled(Connection& connection) {
    if (!known_) load(connection);
    return unfilled_;
  }

  /// Whether any declares an upcast.
  bool upcasts(Connection& connection) {
    if (!known_) load(connection);
    return upcasts_;
  }

  /// Whether they are as the store had them when it was looked at last.
  [[nodiscard]] bool known() const { return known_; }
  void saw(std::int64_t mark) noexcept {
    if (mark != mark_) known_ = false;
  }
  /// This transaction changes one.
  void changed() noexcept {
    known_ = false;
    since_commit_ = true;
  }
  void committed() noexcept { since_commit_ = false; }
  void rolled_back() noexcept {
    if (since_commit_) known_ = false;
  }

 private:
  void load(Connection& connection);
  [[nodiscard]] const Type* find_among(std::string_view event_type) const;
  static const DeclaredTags& sound(const Type& type);
  static std::size_t place_of(std::int64_t aggregate_id) {
    return static_cast<std::size_t>(aggregate_id) % 256;
  }

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, Type, Hash, std::equal_to<>>
      types_;  // its nodes stay where they are
  std::vector<const Type*> unfilled_;
  std::unordered_map<std::int64_t, std::shared_ptr<StoredSchema>> states_;  // by aggregate type
  std::array<std::int64_t, 256>
      seen_checked_{};  // ids by a part of theirs, each over the one before
  bool upcasts_ = false;
  std::int64_t mark_ = -1;
  bool known_ = false;
  bool since_commit_ = false;  // some of them
};

/// What is stored of a declaration; nothing where it could not be declared.
[[nodiscard]] std::optional<DeclaredTags> sound_declaration(Connection& connection,
                                                            std::string_view json);

/// EV008.
[[nodiscard]] Error damaged_declaration(std::string_view event_type);

/// An event's tags with those that its type declares before them; nothing where there are none to add.
/// EV005 and EV009 where they cannot be.
[[nodiscard]] std::optional<Tags> with_declared(Connection& connection, const NewEvent& event);

/// The tags of a stored event with those that it lacks; nothing where it lacks none. EV009 where they
/// cannot be.
[[nodiscard]] std::optional<Tags> with_lacking(const DeclaredTags& declared, std::string_view data,
                                               std::optional<Tags> stored, std::int64_t position);

/// EV010 where old events that `tags` may be about do not bear them yet: of one of the types, or of any.
void require_filled(Connection& connection, const std::vector<std::string>& tags,
                    const std::function<bool(const DeclaredTypes::Type&)>& lets_in);

/// What other connections have declared is seen by reading; for a function whose statement need not have read.
void see_declarations(Connection& connection);

/// Inside atomically() only, before a declaration or a name is changed: every connection reads them again.
void mark_declaration(Connection& connection);

}  // namespace evercore::ext
