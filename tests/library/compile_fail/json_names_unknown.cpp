// `json_names` names a member that the struct does not have
#include "evercore/codec.h"
struct Event {
  std::string user_name;
  static constexpr std::string_view json_names[][2] = {{"username", "user-name"}};
};
auto text = evercore::encode(Event{});
