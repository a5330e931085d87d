// Upcasts: how data that were stored in an older shape of their event type are brought into that of today.
//
//   SELECT evercore_event_type('UserCreated', NULL, '{"upcast":[{"rename":{"/mail":"email"}}]}');
//   SELECT evercore_upcast('UserCreated', '{"mail":"ann@example.org"}');    -- {"email":"ann@example.org"}
//
// What is stored stays as it is. Folds, schemas, declared tags and evercore_replay see the data upcast. No
// version number is kept: an upcast leaves data in the new shape as they are, which its declaration makes
// sure of (upcast_read.cpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pointer.h"
#include "state.h"

namespace evercore::ext {

class Connection;
struct Function;

inline constexpr std::size_t max_upcast_bytes = 65536;  ///< of one declaration

class Upcast {
 public:
  /// Of an array that is legal JSON. Throws EV009 with the pointer to the first fault.
  explicit Upcast(std::string_view json);

  /// The data in the shape of today: those given where nothing is to be done, else a text in `buffer`.
  /// Throws EV004 where they, as stored, are no JSON object.
  std::string_view apply(std::string_view data, std::string& buffer) const;

 private:
  friend class UpcastReader;
  enum class Kind { rename, move, give_default, remove };

  struct Token {
    std::string key;
    std::string raw_key;  ///< as it stands between quotes
  };
  using Path = std::vector<Token>;
  struct Step {
    Kind kind;
    Path from;              ///< what is taken away; none of a default
    Path to;                ///< what is written; none of a removal
    std::string value;      ///< of a default
    std::size_t place = 0;  ///< of what decides whether there is anything to do
  };

  /// Whether no step can do anything, as one walk of the data tells.
  [[nodiscard]] bool leaves(std::string_view data) const;
  static bool run(const Step& step, State& state);
  static bool put(State& state, const Path& path, std::string_view value);
  static State* holder_of(State& state, const Path& path);
  static bool has_room(State& state, const Path& path, std::string_view value);

  std::vector<Step> steps_;
  Pointers pointers_;
};

/// What the store holds of an event type's upcast.
struct StoredUpcast {
  std::shared_ptr<const Upcast> upcast;  ///< null where it declares none
  bool damaged = false;

  [[nodiscard]] bool declared() const { return upcast != nullptr || damaged; }
  /// As Upcast::apply(); EV008 where it is damaged.
  std::string_view apply(std::string_view event_type, std::string_view data,
                         std::string& buffer) const;
};

/// Reads the column `upcast`: `text` has a null data() where it is NULL and the type declares none.
[[nodiscard]] StoredUpcast stored_upcast(Connection& connection, std::string_view text);

/// The data of an event of that type in the shape of today, as appends see the declarations. EV008 where
/// what is declared is damaged.
std::string_view data_of_today(Connection& connection, std::string_view event_type,
                               std::string_view data, std::string& buffer);

extern const Function upcast_function;

}  // namespace evercore::ext
