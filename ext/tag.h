// Tags: what an event is about besides its aggregate, a JSON array of texts.
//
//   INSERT INTO evercore_append (aggregate_id, event_type, data, tags)
//     VALUES (7, 'StudentSubscribed', '{}', '["course:c1","student:s1"]');
//
// The event keeps the array. evercore_event_tag leads from a tag and a type to the positions of their
// events; a tag is there by its number in evercore_tag, so that a row is three integers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "error.h"

namespace evercore::ext {

class Connection;
class Payload;
struct Aggregate;

inline constexpr std::size_t max_tag = 255;  ///< characters
inline constexpr std::size_t max_tags = 64;  ///< of one event

/// The tags of one event: at least one, each once, in the order given.
struct Tags {
  std::vector<std::string> names;
  std::string text;          ///< as the event keeps them
  std::size_t declared = 0;  ///< how many of the leading ones were derived from a declaration
};

/// Tags as a caller gives them. What is wrong with them is said when its turn comes, behind what is
/// wrong with the event.
class GivenTags {
 public:
  /// Reads a JSON array of texts. An element from Payload::Dom::parse() stays valid.
  void read(Payload& payload, std::string_view json);
  /// To be called where the argument is no text at all.
  void refuse() { sound_ = false; }
  /// Adds a tag; a repeat is ignored.
  void add(std::string_view name);
  [[nodiscard]] std::size_t size() const { return tags_.names.size(); }

  /// Throws EV005 for the first tag that is no legal name.
  void check_names() const;
  /// Throws EV009 where they are no array of texts, or too many.
  void check_rest() const;
  /// What they would say of tags that were added, without the code; empty where they say nothing.
  [[nodiscard]] std::string fault() const;
  /// Whether neither would throw.
  [[nodiscard]] bool sound() const { return sound_ && name_fault_.empty() && !too_many_; }
  /// Nothing where there are none.
  [[nodiscard]] std::optional<Tags> take();

 private:
  Tags tags_;
  std::string name_fault_;
  bool sound_ = true;
  bool too_many_ = false;
};

/// EV009: they are no array of texts.
[[nodiscard]] Error not_tags();

/// The tags that an event keeps; nothing where the text is not what evercore writes.
[[nodiscard]] std::optional<Tags> stored_tags(Payload& payload, std::string_view text);

/// The numbers of tags that a connection has met: for as long as nobody else writes to the file, since
/// an erasure may take a tag away. A rollback takes away what was made since the last commit, and then
/// all is forgotten.
class TagIds {
 public:
  [[nodiscard]] std::optional<std::int64_t> find(std::string_view tag) const;
  void learn(std::string_view tag, std::int64_t id);
  void committed() noexcept { since_commit_ = false; }
  void rolled_back() noexcept {
    if (since_commit_) forget();
  }
  void forget() noexcept {
    ids_.clear();
    since_commit_ = false;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  bool since_commit_ = false;  // some of them
};

[[nodiscard]] std::optional<std::int64_t> find_tag(Connection& connection, std::string_view tag);

/// Inside atomically() only: writes the index of an event that was just written.
void index_tags(Connection& connection, const Tags& tags, std::int64_t type_id,
                std::int64_t position);

/// Inside atomically() only: takes the tags from the events of an aggregate, and those that no event
/// has any more from the store.
void remove_tags(Connection& connection, std::int64_t aggregate_id);

/// The first event of the aggregate up to `sequence` that has tags, or may yet: EV010's words, if there
/// is one.
[[nodiscard]] std::optional<std::string> tagged(Connection& connection, const Aggregate& aggregate,
                                                std::int64_t sequence);

/// Whether the index has an event under each of its tags.
[[nodiscard]] bool is_indexed(Connection& connection, const Tags& tags, std::int64_t type_id,
                              std::int64_t position);

}  // namespace evercore::ext
