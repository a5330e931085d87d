// no enumerator of this enum was found between -128 and 1023 or among the powers of two
#include "evercore/codec.h"
enum class Code { gone = 5410, lost = 5411 };
struct Event {
  Code code = Code::gone;
};
auto text = evercore::encode(Event{});
