// The filter of a subscription as the store takes it. The store alone says which events pass it.
#ifndef EVERCORE_SRC_FILTER_H
#define EVERCORE_SRC_FILTER_H

#include <string>

#include "evercore/subscription.h"

namespace evercore::detail {

// The filter as evercore_subscribe() and evercore_follow() take it; empty where it passes everything.
std::string filter_as_json(const Filter& filter);

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_FILTER_H
