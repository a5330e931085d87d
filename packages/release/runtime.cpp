// What the release build of the extension puts in place of parts of the C and C++ runtime libraries, so that one small
// file loads on old and new distributions alike. Everything here is hidden: the host keeps its own.
#include <dlfcn.h>
#include <link.h>
#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

#ifdef DLFO_STRUCT_HAS_EH_DBASE
namespace {

struct Search {
  ElfW(Addr) address;
  dl_find_object* result;
};

/// Fills the result where the object holds the address; gives 1 to end the search.
int search_object(dl_phdr_info* object, std::size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  bool holds = false;
  void* frames = nullptr;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    const ElfW(Addr) start = object->dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD)
      holds |= search.address >= start && search.address - start < part.p_memsz;
    if (part.p_type == PT_GNU_EH_FRAME) frames = reinterpret_cast<void*>(start);
  }
  if (!holds || !frames) return 0;
  *search.result = {};
  search.result->dlfo_eh_frame = frames;
  return 1;
}

}  // namespace
#endif

extern "C" {

#pragma GCC visibility push(hidden)

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/// Libgcc's unwinder asks glibc for the frames of an address: with `_dl_find_object` (glibc 2.35) where it was built with
/// it, and then in no other way. This is the way that every glibc has.
int _dl_find_object(void* address, dl_find_object* result) {
  Search search{reinterpret_cast<ElfW(Addr)>(address), result};
  return dl_iterate_phdr(search_object, &search) == 1 ? 0 : -1;
}
#endif

/// What libstdc++ reads to leave out locked instructions (glibc 2.32). 0: there may be threads, which is always right.
char __libc_single_threaded = 0;

/// Was a symbol of libpthread, and is one of libc since glibc 2.34: neither place is right everywhere. Libgcc calls it a
/// handful of times in a process. `once` starts as 0.
int pthread_once(int* once, void (*work)()) {
  enum { untouched, running, done };
  std::atomic_ref<int> state(*once);
  int expected = untouched;
  if (state.compare_exchange_strong(expected, running, std::memory_order_acquire)) {
    work();
    state.store(done, std::memory_order_release);
    return 0;
  }
  while (state.load(std::memory_order_acquire) != done) sched_yield();
  return 0;
}

/// As above; libgcc only looks whether it is there, to know that there are threads.
int __pthread_key_create(unsigned*, void (*)(void*)) {
  return -1;
}

#pragma GCC visibility pop
}

namespace __gnu_cxx {

/// What std::terminate() calls. Libstdc++'s own prints the exception's type, and brings 47 kB of demangler for it. No
/// exception leaves the extension.
void __verbose_terminate_handler() {
  std::abort();
}

}  // namespace __gnu_cxx
