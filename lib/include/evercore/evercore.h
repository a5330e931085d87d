// All of evercore: what a program includes.
//
//   #include <evercore/evercore.h>
//
//   struct Deposited { std::int64_t cents = 0; };
//   struct Account {
//     std::int64_t cents = 0;
//     void apply(const Deposited& event) { cents += event.cents; }
//   };
//   using AccountAggregate = evercore::StateAggregate<Account, Deposited>;
//
//   int main() {
//     auto store = evercore::connect("sqlite:bank.db");
//     store.with_retry([](evercore::Context& ctx) {
//       ctx.load_or_create<AccountAggregate>("A-1").apply(Deposited{500});
//     });
//   }
//
// | header         | what a program finds there                                              |
// |----------------|-------------------------------------------------------------------------|
// | store.h        | connect(), its URIs; EventStore: contexts, subscriptions, declarations  |
// | context.h      | Context, ReadonlyContext: load, create, apply, publish, query, decide   |
// | aggregate.h    | StateAggregate: how events change a state                               |
// | event.h        | what an event struct may say; EventOptions, RecordedEvent               |
// | subscription.h | handlers, filters, options                                              |
// | query.h        | which events a query asks for                                           |
// | error.h        | the exceptions                                                          |
// | codec.h        | what a struct may hold; encode(), decode(); with json_value.h for types |
// |                | of the program's own, and enums.h for the names of enumerators          |
// | schema.h       | schema_of(): JSON Schema of a struct                                    |
// | time.h         | Time, format_time(), parse_time()                                       |
//
// docs/cpp.md tells the whole from the beginning.
#ifndef EVERCORE_EVERCORE_H
#define EVERCORE_EVERCORE_H

#include "evercore/aggregate.h"
#include "evercore/codec.h"
#include "evercore/context.h"
#include "evercore/detail/language.h"
#include "evercore/error.h"
#include "evercore/event.h"
#include "evercore/query.h"
#include "evercore/schema.h"
#include "evercore/store.h"
#include "evercore/subscription.h"
#include "evercore/time.h"

#endif  // EVERCORE_EVERCORE_H
