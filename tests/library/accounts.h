// The aggregates that several of the library's tests use.
#pragma once

#include "evercore/evercore.h"

struct UserCreated {
  std::string username;
  std::optional<std::string> email{};
  bool is_active = true;
};

struct UserRenamed {
  std::string username;
};

struct UserLoggedIn {};

struct UserNoted {
  std::string note;
};

struct User {
  std::string username;
  std::optional<std::string> email;
  bool is_active = false;
  std::int64_t logins = 0;
  std::string last_note;

  void apply(const UserLoggedIn&) { ++logins; }
  void apply(const UserNoted& noted, const evercore::EventInfo& info) {
    last_note = noted.note + " by " + std::string(info.reference) + " at " +
                evercore::format_time(info.event_time) + " #" + std::to_string(info.sequence) +
                " " + std::string(info.metadata);
  }
  void validate(const UserRenamed& event) const {
    if (event.username.empty()) throw evercore::refused_error("a user needs a name");
  }
};
using UserAggregate =
    evercore::StateAggregate<User, UserCreated, UserRenamed, UserLoggedIn, UserNoted>;

struct AccountOpened {
  std::string owner;
};
struct Deposited {
  std::int64_t cents = 0;
};
struct Withdrawn {
  std::int64_t cents = 0;
};

struct Account {
  std::string owner;
  std::int64_t balance = 0;

  void apply(const Deposited& event) { balance += event.cents; }
  void apply(const Withdrawn& event) { balance -= event.cents; }
  void validate(const Withdrawn& event) const {
    if (event.cents > balance) throw evercore::refused_error("insufficient funds");
  }
  static constexpr std::int64_t snapshot_every = 10;
};
using AccountAggregate = evercore::StateAggregate<Account, AccountOpened, Deposited, Withdrawn>;

inline std::int64_t new_user(evercore::EventStore& store, const std::string& name) {
  return store.with_context([&](evercore::Context& ctx) {
    auto user = ctx.create<UserAggregate>(name);
    user.apply(UserCreated{name});
    return user.id();
  });
}
