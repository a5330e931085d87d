// Another name for an event type or an aggregate type, everywhere at once.
//
//   SELECT evercore_rename_type('event', 'UserMoved', 'AddressChanged');
#pragma once

#include "function.h"

namespace evercore::ext {

extern const Function rename_type_function;

}  // namespace evercore::ext
