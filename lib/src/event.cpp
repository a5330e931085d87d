#include "evercore/event.h"

namespace evercore::detail {

void fail_event(const decode_error& fault, std::string_view event_type, const EventInfo& info) {
  std::string message = "event \"" + std::string(event_type) + "\" at position " +
                        std::to_string(info.position) + " (aggregate " +
                        std::to_string(info.aggregate_id) + ", sequence " +
                        std::to_string(info.sequence) + "): " + fault.what();
  throw decode_error(message, fault.field());
}

json::Document& thread_document() {
  thread_local json::Document document;
  return document;
}

}  // namespace evercore::detail
