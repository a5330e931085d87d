// `required` names a member that the struct does not have
#include "evercore/evercore.h"
struct Event {
  int number = 0;
  static constexpr std::string_view required[] = {"numer"};
};
auto event = evercore::decode<Event>("{}");
