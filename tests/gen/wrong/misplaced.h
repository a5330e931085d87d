// 6:19: a mark stands on a line of its own, before its struct
// 8:1: an empty line parts the mark from what follows; put the mark directly before its struct
// 12:1: a mark is a // comment
// 15:1: nothing may follow evercore:aggregate; it is the events that name their aggregates
// 18:1: nothing follows the mark
struct Opened {}; // evercore:event

// evercore:event

struct Closed {};

/* evercore:event */
struct Moved {};

// evercore:aggregate Account
struct Account {};

// evercore:event
