// a name in `json_names` is empty, or holds a quote
#include "evercore/codec.h"
struct Event {
  std::string user_name;
  static constexpr std::string_view json_names[][2] = {{"user_name", "the \"name\""}};
};
auto text = evercore::encode(Event{});
