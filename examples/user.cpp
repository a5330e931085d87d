// A user from creation to reload: events are plain structs, and nothing else is needed for them to
// be stored.
//   build/examples/user [uri]          sqlite::memory: unless another store is named
#include <evercore/evercore.h>

#include <cstdio>

struct UserCreated {
  std::string username;
  std::string email;
  bool is_active = true;
};
struct UserRenamed {
  std::string username;
};
struct UserLoggedIn {
  std::string from;
};

// The state. UserCreated and UserRenamed set its members of the same name; UserLoggedIn has none to
// set and is folded by hand.
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
  void validate(const UserLoggedIn&) const {
    if (!is_active) throw evercore::refused_error("the user is not active");
  }
};
using UserAggregate = evercore::StateAggregate<User, UserCreated, UserRenamed, UserLoggedIn>;

int main(int argc, char** argv) try {
  auto store = evercore::connect(argc > 1 ? argv[1] : "sqlite::memory:");
  store.warmup<UserAggregate>();

  // Create, and leave: everything is written when the function returns.
  const auto id = store.with_context([](evercore::Context& ctx) {
    auto user = ctx.load_or_create<UserAggregate>("ann");
    user.apply(UserCreated{"ann", "ann@example.org"});
    return user.id();
  });

  // Rename and log in.
  store.with_context([&](evercore::Context& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    user.apply(UserRenamed{"anna"});
    user.apply(UserLoggedIn{"laptop"}, {.reference = "session 7"});
    std::printf("%s is at version %lld\n", user->username.c_str(),
                static_cast<long long>(user.sequence()));
  });

  // A conflict: two hold the same version, the second to write learns it.
  auto stale = store.with_readonly_context(
      [&](evercore::ReadonlyContext& ctx) { return ctx.load<UserAggregate>(id); });
  store.with_context(
      [&](evercore::Context& ctx) { ctx.load<UserAggregate>(id).apply(UserLoggedIn{"phone"}); });
  try {
    store.with_context([&](evercore::Context& ctx) { ctx.apply(stale, UserRenamed{"annie"}); });
  } catch (const evercore::conflict_error& conflict) {
    std::printf("refused: expected one version behind the actual, %lld behind %lld\n",
                static_cast<long long>(conflict.expected()),
                static_cast<long long>(conflict.actual()));
  }
  // with_retry() loads and runs again instead.
  store.with_retry(
      [&](evercore::Context& ctx) { ctx.load<UserAggregate>(id).apply(UserRenamed{"annie"}); });

  // A snapshot, so that the next load begins there; then what the user was before.
  store.with_context(
      [&](evercore::Context& ctx) { ctx.save_snapshot(ctx.load<UserAggregate>(id)); });
  store.with_readonly_context([&](evercore::ReadonlyContext& ctx) {
    const auto user = ctx.load<UserAggregate>("ann");
    const auto before = ctx.load_at<UserAggregate>(id, user.sequence() - 1);
    std::printf("%s, %s before, logged in %lld times\n", user->username.c_str(),
                before->username.c_str(), static_cast<long long>(user->logins));
    std::printf("in SQL: %s\n", ctx.state(id).c_str());
  });
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
