// The program: one struct in two copies is one struct, another of its name is not.
#include <cstdio>

#include "types.h"

int main() try {
  auto store = evercore::connect("memory:");
  store.warmup<AccountAggregate>();
  use_account(store);
  try {
    use_other_account(store);
  } catch (const evercore::usage_error& fault) {
    std::printf("%s\n", fault.what());
  }
} catch (const evercore::error& fault) {
  std::printf("too much: %s\n", fault.what());
  return 1;
}
