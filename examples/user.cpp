// A user from creation to reload. The structs are in user_events.h; what evercoregen makes of their
// marks is in user_events.gen.h, and as SQL in user_events.sql.
//   build/examples/user [uri]          sqlite::memory: unless another store is named
#include <evercore/evercore.h>

#include <cstdio>

#include "user_events.gen.h"

using users::UserAggregate;

int main(int argc, char** argv) try {
  auto store = evercore::connect(argc > 1 ? argv[1] : "sqlite::memory:");
  store.warmup(users::registry);

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

  // The log, decoded: which struct an event is, evercoregen has written down.
  for (const auto& recorded : store.follow(0)) {
    const auto event = users::decode(recorded);
    if (!event) continue;
    if (const auto* login = std::get_if<UserLoggedIn>(&*event)) {
      std::printf("logged in from the %s\n", login->from.c_str());
    }
  }
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
