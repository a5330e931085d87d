// A foreign program of SQLite alone: another engine is an error that says what to link.
#include <evercore/evercore.h>

#include <cstdio>
#include <cstring>

struct Greeted {
  std::string name;
};
struct Greeting {
  std::string name;
};

int main() try {
  auto store = evercore::connect("memory:");
  const auto id = store.with_context([](evercore::Context& ctx) {
    auto greeting = ctx.create<evercore::StateAggregate<Greeting, Greeted>>();
    greeting.apply(Greeted{"world"});
    return greeting.id();
  });
  try {
    evercore::connect("postgres://nobody@localhost:1/nothing");
  } catch (const evercore::usage_error& fault) {
    if (std::strstr(fault.what(), "evercore::evercore") == nullptr) return 1;
    std::printf("%s\n",
                store.with_readonly_context([&](auto& ctx) { return ctx.state(id); }).c_str());
  }
} catch (...) {
  return 1;
}
