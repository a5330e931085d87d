// evercore: a subscription's handler takes (const RecordedEvent&) or (std::span<const RecordedEvent>)
#include <evercore/evercore.h>

void subscribe(evercore::EventStore& store) {
  store.run_subscription("s", {}, evercore::Start::end(), {}, [](int) {});
}
