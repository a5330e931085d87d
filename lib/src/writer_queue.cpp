#include "writer_queue.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "evercore/error.h"

namespace evercore::detail {

namespace {

// How long a program that was killed in its turn can keep the next one waiting.
constexpr std::chrono::microseconds longest_sleep{10'000};

// Takes a byte of the file, or gives it back. Gives errno.
int lock_byte(int file, short kind, off_t byte) noexcept {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  while (fcntl(file, F_OFD_SETLK, &lock) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// Sleeps until the word is no longer what was seen and somebody says so.
void sleep_on(std::atomic<std::uint32_t>& word, std::uint32_t seen,
              std::chrono::microseconds longest) noexcept {
  struct {
    long seconds, nanoseconds;
  } time{0, static_cast<long>(longest.count()) * 1000};
  syscall(SYS_futex, &word, FUTEX_WAIT, seen, &time, nullptr, 0);
}

[[noreturn]] void fail(const std::string& what) {
  throw engine_error("the queue of writers: " + what + ": " + std::strerror(errno), {});
}

}  // namespace

// What the file holds: of each lock, how often it was given back.
struct WriterQueue::Words {
  std::atomic<std::uint32_t> given_back[2];
};

WriterQueue::WriterQueue(const std::string& path) {
  try {
    open(path);
  } catch (...) {
    if (file_ >= 0) close(file_);
    throw;
  }
}

WriterQueue::~WriterQueue() {
  munmap(words_, sizeof(Words));
  close(file_);
}

// The file gets the rights of the database and, as SQLite does it for its own files, the owner.
void WriterQueue::open(const std::string& path) {
  const std::string name = path + "-queue";
  struct stat database {};
  if (stat(path.c_str(), &database) != 0) fail(path);
  const mode_t mode = database.st_mode & 0666;
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  file_ = ::open(name.c_str(), flags | O_CREAT | O_EXCL, mode);
  if (file_ >= 0) {
    if (geteuid() == 0 && fchown(file_, database.st_uid, database.st_gid) != 0) fail(name);
    if (fchmod(file_, mode) != 0) fail(name);
  } else {
    if (errno == EEXIST) file_ = ::open(name.c_str(), flags);
    if (file_ < 0) fail(name);
  }
  // A page that finds no room on the disk would kill the program that first writes to it.
  if ((errno = posix_fallocate(file_, 0, sizeof(Words))) != 0) fail(name);
  void* memory = mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (memory == MAP_FAILED) fail(name);
  words_ = static_cast<Words*>(memory);
}

bool WriterQueue::take(Lock lock, WaitClock::time_point until) {
  std::atomic<std::uint32_t>& word = words_->given_back[lock];
  for (;;) {
    const std::uint32_t seen = word.load();
    const int fault = lock_byte(file_, F_WRLCK, lock);
    if (fault == 0) return true;
    if (fault != EAGAIN && fault != EACCES) {
      errno = fault;
      fail("fcntl");
    }
    const auto left = std::chrono::ceil<std::chrono::microseconds>(until - WaitClock::now());
    if (left.count() <= 0) return false;
    sleep_on(word, seen, std::min(left, longest_sleep));
  }
}

void WriterQueue::give_back(Lock lock) noexcept {
  lock_byte(file_, F_UNLCK, lock);
  std::atomic<std::uint32_t>& word = words_->given_back[lock];
  word.fetch_add(1);
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool WriterQueue::enter(WaitClock::time_point until) {
  if (!take(door, until)) return false;
  const bool entered = take(turn, until);
  give_back(door);
  return entered;
}

void WriterQueue::leave() noexcept {
  give_back(turn);
}

}  // namespace evercore::detail
