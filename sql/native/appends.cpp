#include "appends.h"

#include <algorithm>

#include "../../ext/append_json.h"

namespace evercore::native {

ext::Payload& session_payload();  // payload.cpp

namespace {

ext::JsonAppends& last_read() {
  static ext::JsonAppends appends;
  return appends;
}

Text text_of(const std::optional<std::string_view>& text) {
  return {text.has_value(), text.value_or(std::string_view())};
}

Integer integer_of(const std::optional<std::int64_t>& value) {
  return {value.has_value(), value.value_or(0)};
}

}  // namespace

bool read_plain_appends(std::string_view document) noexcept try {
  ext::JsonAppends& appends = last_read();
  appends = ext::JsonAppends();
  if (document.size() > ext::max_payload_bytes) return false;
  appends = ext::read_appends(session_payload(), document);
  return !appends.appends.empty() &&
         std::none_of(appends.events.begin(), appends.events.end(), [](const ext::NewEvent& event) {
           return event.event_id || event.tags != nullptr;
         });
} catch (...) {
  return false;
}

std::size_t append_count() noexcept {
  return last_read().appends.size();
}

std::size_t event_count() noexcept {
  return last_read().events.size();
}

AppendView append_at(std::size_t index) noexcept {
  const ext::JsonAppend& append = last_read().appends[index];
  const bool named = !append.target.id;
  return {integer_of(append.target.id),
          {named, append.target.type},
          {named, append.target.key},
          integer_of(append.expected),
          append.first,
          append.count};
}

EventView event_at(std::size_t index) noexcept {
  const ext::NewEvent& event = last_read().events[index];
  return {event.event_type, event.data, text_of(event.reference), text_of(event.metadata),
          integer_of(event.event_time)};
}

}  // namespace evercore::native
