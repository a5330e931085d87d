// An aggregate that a program and a shared library of it have a hidden copy of each.
#pragma once

#include <evercore/evercore.h>

struct Opened {
  std::string owner;
};
struct Account {
  std::string owner;
};
using AccountAggregate = evercore::StateAggregate<Account, Opened>;

extern "C" __attribute__((visibility("default"))) void use_account(evercore::EventStore& store);
extern "C" __attribute__((visibility("default"))) void use_other_account(
    evercore::EventStore& store);
