// json_value stores a type as itself
#include "evercore/codec.h"
struct Uuid {
  std::string text;
};
template <>
struct evercore::json_value<Uuid> {
  static Uuid to_json(const Uuid& id) { return id; }
  static Uuid from_json(const Uuid& id) { return id; }
};
struct Event {
  Uuid id;
};
auto text = evercore::encode(Event{});
