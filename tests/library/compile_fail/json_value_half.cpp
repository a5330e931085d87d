// json_value has no from_json() that makes the type of what to_json() gives
#include "evercore/codec.h"
struct Uuid {
  std::string text;
};
template <>
struct evercore::json_value<Uuid> {
  static std::string to_json(const Uuid& id) { return id.text; }
};
struct Event {
  Uuid id;
};
auto text = evercore::encode(Event{});
