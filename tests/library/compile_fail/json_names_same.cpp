// two members have one name in JSON
#include "evercore/codec.h"
struct Event {
  std::string user_name;
  std::string name;
  static constexpr std::string_view json_names[][2] = {{"user_name", "name"}};
};
auto text = evercore::encode(Event{});
