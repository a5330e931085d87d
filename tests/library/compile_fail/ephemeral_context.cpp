// there is no cursor to commit in a context
#include <evercore/evercore.h>

void subscribe(evercore::EventStore& store) {
  store.run_ephemeral_subscription({}, evercore::Start::end(), {},
                                   [](evercore::Context&, const evercore::RecordedEvent&) {});
}
