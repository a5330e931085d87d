// A foreign program: it knows nothing of evercore but what was installed.
#include <evercore/evercore.h>

#include <cstdio>

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
    store.with_context([](evercore::Context& ctx) { ctx.publish(99, {"X", "{}"}); });
  } catch (const evercore::not_found_error&) {  // exceptions cross the shared library
    std::printf("%s\n",
                store.with_readonly_context([&](auto& ctx) { return ctx.state(id); }).c_str());
  }
} catch (...) {
  return 1;
}
