// an event type's name has 1 to 64 characters; pin another by event_type
#include "evercore/evercore.h"
struct AnEventWhoseNameGoesOnAndOnUntilNobodyRemembersHowItBeganOrWhyItWasMade {};
struct Thing {
  int count = 0;
};
evercore::StateAggregate<Thing,
                         AnEventWhoseNameGoesOnAndOnUntilNobodyRemembersHowItBeganOrWhyItWasMade>
    thing;
