// One program, both engines: a little inventory kept in whatever store the command line names.
//   build/examples/either_engine sqlite:inventory.db
//   build/examples/either_engine 'postgres://postgres@localhost/postgres?schema=inventory'
#include <evercore/evercore.h>

#include <cstdio>

struct Stocked {
  std::int64_t pieces = 0;
};
struct Described {
  std::optional<std::string> text;
  std::optional<std::int64_t> price;
};
struct Article {
  std::string text;
  std::int64_t price = 0;
  std::int64_t pieces_in_stock = 0;
  void apply(const Stocked& event) { pieces_in_stock += event.pieces; }
};
using ArticleAggregate = evercore::StateAggregate<Article, Stocked, Described>;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: either_engine URI\n");
    return 2;
  }
  auto store = evercore::connect(argv[1]);
  for (const char* name : {"bolt", "nut", "washer"}) {
    store.with_retry([&](evercore::Context& ctx) {
      auto article = ctx.load_or_create<ArticleAggregate>(name);
      if (article.sequence() == 0) article.apply(Described{std::string("a ") + name, 25});
      article.apply(Stocked{100});
      if (article->pieces_in_stock > 100)
        article.apply(Described{.text = {}, .price = article->price - 1});
    });
  }
  store.with_readonly_context([&](evercore::ReadonlyContext& ctx) {
    for (const char* name : {"bolt", "nut", "washer"}) {
      const auto article = ctx.load<ArticleAggregate>(name);
      std::printf("%-8s %-10s %4lld pieces at %lld, version %lld\n", name, article->text.c_str(),
                  static_cast<long long>(article->pieces_in_stock),
                  static_cast<long long>(article->price),
                  static_cast<long long>(article.sequence()));
    }
  });
  for (const auto& event : store.follow(0, 3)) {
    std::printf("%lld %s %s %s\n", static_cast<long long>(event.position),
                event.natural_key.value_or("-").c_str(), event.event_type.c_str(),
                event.data.c_str());
  }
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
