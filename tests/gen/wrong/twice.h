// 4:1: Opened is marked twice; the first mark stands in line 3

// evercore:state-event Account
// evercore:event Account
struct Opened {
  int cents = 0;
};

// evercore:aggregate
struct Account {
  int cents = 0;
};
