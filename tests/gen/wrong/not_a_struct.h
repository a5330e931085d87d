// 5:1: the mark stands before no struct: Colour is an enum
// 8:1: the mark stands before no struct: name is an alias
// 11:1: the mark stands before no struct: Hidden is a class
// 14:1: the mark stands before no struct: Later is only declared here
// evercore:event
enum class Colour { red };

// evercore:event
using name = int;

// evercore:state-event
class Hidden {};

// evercore:state-event
struct Later;

// evercore:event
template <class T>
struct Box {
  T inside;
};
// 17:1: the mark stands before no struct: Box is a template
// evercore:aggregate
int count();
// 23:1: the mark stands before no struct: count is a function
// evercore:event
union Either {
  int a;
};
// 26:1: the mark stands before no struct: Either is a union
