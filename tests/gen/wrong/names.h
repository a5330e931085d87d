#include <string_view>

constexpr std::string_view named = "somewhere";

// evercore:event
struct First {
  static constexpr std::string_view event_type = named;
};

// evercore:event
struct Second {
  static constexpr std::string_view aliases[] = {"second"};
  static constexpr std::string_view event_type = "";
};

// evercore:event
struct Third {
  static constexpr std::string_view event_type = "second";
};

namespace one {
// evercore:event
struct Same {};
}  // namespace one
namespace two {
// evercore:event
struct Same {};
}  // namespace two

// evercore:event
struct Members {
  int userName = 0;
  int user_name = 0;
  int a234567890123456789012345678901234567890123456789012345678901234 = 0;
};

// evercore:event
struct EvercoreLog {};

// evercore:event
struct a234567890123456789012345678901234567890123456789012345678901234 {};

// evercore:event
struct Tagged {
  int number = 0;
  static constexpr std::string_view declared_tags[][2] = {{"n", "numer"}};
};
// 7:37: event_type is not one text in quotes, so that it cannot be read here
// 13:37: the name in the store has 1 to 255 characters; pin another by event_type
// 17:8: Second and Third are both stored as "second"
// 27:8: one::Same and two::Same are both stored as "Same"
// 27:8: one::Same and two::Same would both have the view same; rename one
// 33:7: members userName and user_name would both be the column user_name; rename one
// 34:7: the name of column a234567890123456789012345678901234567890123456789012345678901234 is longer than 63 characters
// 38:8: the view of EvercoreLog would be called evercore_log, a name that is not for users to take; rename the struct
// 41:8: the name of view a234567890123456789012345678901234567890123456789012345678901234 is longer than 63 characters
// 46:37: declared_tags names numer, which is no member of Tagged
