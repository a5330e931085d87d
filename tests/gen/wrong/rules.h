// 9:8: Seen has other fold_rules() in Group than in User; an event type folds in one way
#include <evercore/evercore.h>

// evercore:event Group User
struct Other {};

namespace shop {
// evercore:event Group User
struct Seen {};

// evercore:aggregate
struct Group {
  int seen = 0;
  void apply(const Other&) {}
  void apply(const Seen&) { ++seen; }
  static constexpr std::string_view fold_rules(const Seen&) { return R"([{"add":{"/seen":{"value":1}}}])"; }
};

// evercore:aggregate
struct User {
  int seen = 0;
  void apply(const Other&) {}
  void apply(const Seen&) { ++seen; }
};
}  // namespace shop
