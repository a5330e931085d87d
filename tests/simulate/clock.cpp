// The linker puts this in the place of evercore::ext::now (--wrap): the extension's clock is the machine's.
#include <cstdint>

#include "simulate/disk.h"

extern "C" std::int64_t __wrap__ZN8evercore3ext3nowEv() {
  return evercore::simulate::machine_time;
}
