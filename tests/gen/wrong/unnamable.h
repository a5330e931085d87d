// 6:1: the mark stands before a struct that other files cannot name; give it a name, outside of unnamed namespaces and private parts
// 11:3: the mark stands before a struct that other files cannot name; give it a name, outside of unnamed namespaces and private parts
// 15:1: the mark stands before a struct that other files cannot name; give it a name, outside of unnamed namespaces and private parts

namespace {
// evercore:event
struct Opened {};
}  // namespace

class Owner {
  // evercore:event
  struct Closed {};
};

// evercore:event
struct {
  int member;
} variable;
