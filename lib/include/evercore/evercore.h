// All of evercore: the store, contexts, aggregates, events, subscriptions, errors.
#ifndef EVERCORE_EVERCORE_H
#define EVERCORE_EVERCORE_H

#include "evercore/aggregate.h"
#include "evercore/codec.h"
#include "evercore/context.h"
#include "evercore/detail/language.h"
#include "evercore/error.h"
#include "evercore/event.h"
#include "evercore/query.h"
#include "evercore/schema.h"
#include "evercore/store.h"
#include "evercore/subscription.h"
#include "evercore/time.h"

#endif  // EVERCORE_EVERCORE_H
