// The queue of the programs that write to one SQLite file.
//
// SQLite's own lock goes to whoever asks at the right moment. A program that has just committed asks again at once; those that
// wait look now and then, and an unlucky one looks in vain until busy_timeout has passed. The kernel's locks of files wake
// who waits, and are not fair either: the one that runs has them again before the one that was woken gets to run. So the queue is a
// turnstile of two such locks. A writer waits for the door, with the door locked for its turn, and opens the door when its turn
// has come: whoever has just written finds the door locked by the next, and stands behind.
//
// Both are bytes of the file `<database>-queue`, locked for an open file description: the locks of a program that was killed are free
// at that moment, and neither closing the file elsewhere in the program nor SQLite's own locks, which are of another file, touch them.
// fcntl() can wait for ever or not at all. So who waits sleeps on a word of the file that is counted up whenever a lock is given
// back (a futex), and looks by itself every few milliseconds, because the dead wake nobody. The wait ends when the caller
// says.
//
// The queue keeps nobody from writing. That is still SQLite's lock, which is taken with one's turn, and waited for where
// somebody writes who does not queue up. So what the file holds does not matter, and it may be removed while no program has the
// database open. Readers never come here, and nobody waits here who holds SQLite's lock: there is no deadlock between the two.
#ifndef EVERCORE_SRC_WRITER_QUEUE_H
#define EVERCORE_SRC_WRITER_QUEUE_H

#include <string>

#include "pool.h"

namespace evercore::detail {

// For one thread at a time. Two of one program, on one file, take turns like those of two programs.
class WriterQueue {
 public:
  // Of the database that is the file `path`. Makes the queue's file where there is none, for whoever may
  // write to the database. Throws engine_error.
  explicit WriterQueue(const std::string& path);
  ~WriterQueue();
  WriterQueue(const WriterQueue&) = delete;
  WriterQueue& operator=(const WriterQueue&) = delete;

  // Waits for the turn. Gives false, out of the queue, where it has not come by then.
  bool enter(WaitClock::time_point until);
  void leave() noexcept;

 private:
  struct Words;
  enum Lock { door, turn };

  void open(const std::string& path);
  bool take(Lock lock, WaitClock::time_point until);
  void give_back(Lock lock) noexcept;

  int file_ = -1;
  Words* words_ = nullptr;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_WRITER_QUEUE_H
