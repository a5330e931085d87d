// 11:1: there are several aggregates; say whose event this is, as in // evercore:event User
// 14:1: no struct Uzer is marked evercore:aggregate
// 17:1: the mark names User twice
// 26:8: no event is marked for the aggregate Account

// evercore:aggregate
struct User {
  int count = 0;
};

// evercore:state-event
struct Opened {};

// evercore:state-event Uzer
struct Closed {};

// evercore:state-event User ::User
struct Moved {};

namespace other {
// evercore:state-event User
struct Ended {};
}  // namespace other

// evercore:aggregate
struct Account {
  int count = 0;
};
