// The library on files whose writes fail: whatever the n-th write, truncation or sync of a file does, what was
// acknowledged is there, nothing is half, and the store goes on once the disk does.
#include <cstdlib>

#include "disk_work.h"
#include "tests/support/failing_vfs.h"

using namespace evercore;

namespace {

// SQLite opens files through the failing VFS for as long as it lives.
struct FailingFiles {
  FailingFiles() { failing_vfs::add(true); }
  ~FailingFiles() {
    failing_vfs::heal();
    failing_vfs::step_back();
  }
};

std::string uri_of(const harness::Place& place, const std::string& journal) {
  return "sqlite://" + place.file() + "?synchronous=full&journal_mode=" + journal;
}

// Of the writes every 5th fails; each of them with EVERCORE_SOAK, as in `make soak`.
int stride() {
  return std::getenv("EVERCORE_SOAK") == nullptr ? 5 : 1;
}

// Does the work, on a store that was prepared, with one write failing, then one behind it, and so on, until none is left
// to fail. With `goes_on` all writes behind it fail, too, until the work is over. Gives how often one failed.
template <class Work>
int each_write(const std::string& journal, bool goes_on) {
  for (int n = 1, rounds = 0;; n += stride(), ++rounds) {
    const harness::Place place;
    auto store = connect(uri_of(place, journal));
    Work work;
    work.prepare(store);
    if (goes_on) {
      failing_vfs::fail_from(n);
    } else {
      failing_vfs::fail_once(n);
    }
    work.work(store);
    const bool any = failing_vfs::failed;
    failing_vfs::heal();
    CAPTURE(journal);
    CAPTURE(goes_on);
    CAPTURE(n);
    auto seen = connect(uri_of(place, journal));
    work.look(seen, store);
    CHECK(seen.check().empty());
    if (!any) return rounds;
  }
}

template <class Work>
void in_each_mode() {
  if (!harness::on_file()) return;
  const FailingFiles failing;
  for (const char* journal : {"wal", "delete"}) {
    for (const bool goes_on : {false, true}) CHECK(each_write<Work>(journal, goes_on) > 1);
  }
}

}  // namespace

TEST_CASE("a context on a disk that fails has written all or nothing") {
  in_each_mode<disk_work::Transfer>();
}

TEST_CASE(
    "of commits in groups on a disk that fails each is there or not, and is there if it was said "
    "to be") {
  in_each_mode<disk_work::Group>();
}

TEST_CASE("on a disk that fails each event has one effect where that is written with the ack") {
  in_each_mode<disk_work::EffectInTheStore>();
}

TEST_CASE("on a disk that fails each event is handled at least once, and in order") {
  in_each_mode<disk_work::EffectElsewhere>();
}
