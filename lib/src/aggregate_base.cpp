// What every aggregate has, whatever its state.
#include "evercore/aggregate.h"
#include "evercore/error.h"
#include "unit_of_work.h"

namespace evercore {

std::string Aggregate::encode_state() const {
  throw usage_error("aggregates of type \"" + std::string(type().name) +
                    "\" have no encode_state(), which snapshots need");
}

void Aggregate::decode_state(std::string_view) {
  throw usage_error("aggregates of type \"" + std::string(type().name) +
                    "\" have no decode_state(), which snapshots and compacted aggregates need");
}

void Aggregate::require_writable() const {
  if (!work_) throw usage_error("the aggregate was neither loaded nor created in a context");
  work_->require_writable();
  if (as_of_) {
    throw usage_error(
        "the aggregate was loaded as of a past sequence: nothing can be applied to it");
  }
}

void Aggregate::stage(std::string_view event_type, std::string data, const EventOptions& options) {
  require_writable();
  work_->stage(*this, event_type, std::move(data), options);
}

}  // namespace evercore
