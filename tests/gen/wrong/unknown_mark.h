// 4:1: there is no mark evercore:evnt; a mark is evercore:aggregate, evercore:state-event or evercore:event
// 9:1: there is no mark evercore:; a mark is evercore:aggregate, evercore:state-event or evercore:event

// evercore:evnt
struct Opened {
  int cents = 0;
};

// evercore:
struct Closed {};
