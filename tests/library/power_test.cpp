// The library on a machine that loses its power, or its process, at any call of a file: what was acknowledged is there,
// nothing is half, and a new process goes on. The disk is the simulator's (tests/simulate/disk.h): what was not synced
// survives by chance, a sector at a time.
#include <cstdlib>

#include "disk_work.h"
#include "simulate/disk.h"

using namespace evercore;
using simulate::Trouble;

namespace {

// Of the calls every 19th is the last; each of them with EVERCORE_SOAK.
int stride() {
  return std::getenv("EVERCORE_SOAK") == nullptr ? 19 : 1;
}

// Does the work with the n-th call of a file being the machine's last, for each n. Gives how many there were.
template <class Work>
int each_call(const std::string& journal, Trouble trouble) {
  const std::string uri = "sqlite:///store.db?synchronous=extra&journal_mode=" + journal;
  for (int n = 1, rounds = 0;; n += stride(), ++rounds) {
    const auto seed = static_cast<std::uint64_t>(n);
    simulate::Disk disk(seed);
    Work work;
    {
      auto store = connect(uri);
      work.prepare(store);
      disk.arm(trouble, n);
      work.work(store);
    }
    const bool died = disk.is_dead();
    if (died) disk.restart(trouble, simulate::Random(seed));
    disk.peace();
    CAPTURE(journal);
    CAPTURE(trouble == Trouble::power);
    CAPTURE(n);
    auto store = connect(uri);
    auto seen = connect(uri);
    work.look(seen, store);
    CHECK(seen.check().empty());
    if (!died) return rounds;
  }
}

template <class Work>
void in_each_mode() {
  if (!harness::on_file()) return;
  for (const char* journal : {"wal", "delete"}) {
    for (const Trouble trouble : {Trouble::power, Trouble::death})
      CHECK(each_call<Work>(journal, trouble) > 1);
  }
}

}  // namespace

TEST_CASE("a context on a machine that dies has written all or nothing") {
  in_each_mode<disk_work::Transfer>();
}

TEST_CASE(
    "of commits in groups on a machine that dies each is there or not, and is there if it was said "
    "to be") {
  in_each_mode<disk_work::Group>();
}

TEST_CASE("on a machine that dies each event has one effect where that is written with the ack") {
  in_each_mode<disk_work::EffectInTheStore>();
}

TEST_CASE("on a machine that dies each event is handled at least once, and in order") {
  in_each_mode<disk_work::EffectElsewhere>();
}
