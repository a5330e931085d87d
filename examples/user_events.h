// The events and the state of a user: plain structs, and nothing else is needed for them to be
// stored. The marks are for evercoregen.
#ifndef USER_EVENTS_H
#define USER_EVENTS_H

#include <evercore/evercore.h>

// evercore:state-event
struct UserCreated {
  std::string username;
  std::string email;
  bool is_active = true;
  // The store takes nothing else under this name, whoever appends.
  static constexpr std::string_view schema() { return evercore::schema_of<UserCreated>(); }
};

// evercore:state-event
struct UserRenamed {
  std::string username;
};

// evercore:event
struct UserLoggedIn {
  std::string from;
};

// The state. UserCreated and UserRenamed set its members of the same name; UserLoggedIn has none to
// set and is folded by hand, in SQL by rules that do the same.
// evercore:aggregate
struct User {
  std::string username;
  std::string email;
  bool is_active = false;
  std::int64_t logins = 0;
  std::optional<evercore::Time> last_login;

  void apply(const UserLoggedIn&, const evercore::EventInfo& info) {
    ++logins;
    last_login = info.event_time;
  }
  static constexpr std::string_view fold_rules(const UserLoggedIn&) {
    return R"([{"add":{"/logins":{"value":1}}},{"set":{"/last_login":{"field":"event_time"}}}])";
  }
  void validate(const UserLoggedIn&) const {
    if (!is_active) throw evercore::refused_error("the user is not active");
  }
};

#endif  // USER_EVENTS_H
