// 5:1: Moved is marked as a state-event, but User has an apply(const Moved&); mark an event, or drop the apply
// 8:1: Seen is marked as an event, but User has no apply(const Seen&) to fold it; write one, or mark a state-event

namespace shop {
// evercore:state-event
struct Moved {};

// evercore:event
struct Seen {};

// evercore:aggregate
struct User {
  int moves = 0;
  void apply(const Moved&) { ++moves; }
};
}  // namespace shop
