// fair=on: the writers of a SQLite file, of one program and of several, take turns.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "accounts.h"
#include "evercore/error.h"
#include "harness.h"
#include "runners.h"
#include "tests/support/process.h"
#include "writer_queue.h"

using namespace evercore;
using detail::WaitClock;
using detail::WriterQueue;
using harness::fault_of;
using runners::append;

namespace {

const auto at_once = WaitClock::time_point{};
WaitClock::time_point in_a_minute() {
  return WaitClock::now() + std::chrono::minutes{1};
}

// A file to queue for.
struct File {
  harness::Place place;
  std::string path = place.file();
  File() { std::ofstream(path).put('x'); }
};

// Whether somebody has the byte of the queue's file locked: 0 is the door, 1 the turn.
bool is_locked(const std::string& path, off_t byte) {
  const int file = open((path + "-queue").c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  REQUIRE(fcntl(file, F_OFD_GETLK, &lock) == 0);
  close(file);
  return lock.l_type != F_UNLCK;
}
void wait_until_locked(const std::string& path, off_t byte) {
  const auto latest = in_a_minute();
  while (!is_locked(path, byte)) {
    if (WaitClock::now() > latest) throw std::runtime_error("nobody came to the queue");
    std::this_thread::yield();
  }
}

// Runs in a process of its own until that is killed.
pid_t in_a_process(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  work();
  for (;;) pause();
}
void kill_and_wait(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

std::string uri(const harness::Place& place, const std::string& parameters) {
  return "sqlite:" + place.file() + "?synchronous=normal&fair=on" + parameters;
}

int count(EventStore& store) {
  return static_cast<int>(store.follow(0, 100'000).size());
}

}  // namespace

TEST_CASE("queue: a turn is one writer's, and comes to the next") {
  if (!harness::on_file()) return;
  const File file;
  WriterQueue one(file.path), two(file.path);
  REQUIRE(one.enter(at_once));
  CHECK_FALSE(two.enter(at_once));
  CHECK_FALSE(is_locked(file.path, 0));  // who gives up leaves the door open
  one.leave();
  CHECK(two.enter(at_once));
  CHECK_FALSE(one.enter(WaitClock::now() + std::chrono::milliseconds{20}));
  two.leave();
}

TEST_CASE("queue: who has just written stands behind who waits") {
  if (!harness::on_file()) return;
  const File file;
  WriterQueue one(file.path), two(file.path);
  for (int round = 0; round < 50; ++round) {
    std::vector<char> order;  // one at a time: the turn keeps it
    REQUIRE(one.enter(in_a_minute()));
    std::jthread other([&] {
      if (!two.enter(in_a_minute())) return;
      order.push_back('2');
      two.leave();
    });
    wait_until_locked(file.path, 0);
    one.leave();
    REQUIRE(one.enter(in_a_minute()));
    order.push_back('1');
    one.leave();
    other.join();
    REQUIRE(order == std::vector<char>{'2', '1'});
  }
}

TEST_CASE("queue: whoever is killed is out of it") {
  if (!harness::on_file()) return;
  const File file;
  WriterQueue mine(file.path);
  const pid_t writer = in_a_process([&] { WriterQueue(file.path).enter(in_a_minute()), pause(); });
  wait_until_locked(file.path, 1);
  CHECK_FALSE(mine.enter(at_once));
  const pid_t next = in_a_process([&] { WriterQueue(file.path).enter(in_a_minute()), pause(); });
  wait_until_locked(file.path, 0);
  kill_and_wait(next);  // at the door
  kill_and_wait(writer);
  CHECK(mine.enter(at_once));
  mine.leave();
}

TEST_CASE("queue: a killed program wakes nobody, and the next gets its turn all the same") {
  if (!harness::on_file()) return;
  const File file;
  WriterQueue mine(file.path);
  const pid_t writer = in_a_process([&] { WriterQueue(file.path).enter(in_a_minute()), pause(); });
  wait_until_locked(file.path, 1);
  std::atomic<bool> came{false};
  std::jthread waiting([&] { came = mine.enter(in_a_minute()); });
  wait_until_locked(file.path, 0);
  kill_and_wait(writer);
  waiting.join();
  CHECK(came);
}

TEST_CASE("queue: its file is for whoever may write to the database") {
  if (!harness::on_file()) return;
  const File file;
  REQUIRE(chmod(file.path.c_str(), 0660) == 0);
  struct stat made {};
  const WriterQueue queue(file.path);
  REQUIRE(stat((file.path + "-queue").c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0660);
}

TEST_CASE("queue: a file that cannot be made is an error") {
  if (!harness::on_file()) return;
  const File file;
  REQUIRE(mkdir((file.path + "-queue").c_str(), 0700) == 0);
  CHECK(fault_of<engine_error>([&] {
          WriterQueue queue(file.path);
        }).find("the queue of writers: " + file.path + "-queue: ") != std::string::npos);
}

TEST_CASE("fair: a writer waits for its turn as long as busy_timeout says, a reader does not") {
  if (!harness::on_file()) return;
  const harness::Place place;
  auto store = connect(uri(place, "&busy_timeout=50"));
  append(store, "a", "Made");
  WriterQueue other(place.file());
  REQUIRE(other.enter(at_once));
  CHECK(count(store) == 1);
  const auto refused = [](const std::string& text) {
    return text.find("database is locked") != std::string::npos;
  };
  CHECK(refused(fault_of<busy_error>([&] { append(store, "a", "Made"); })));
  CHECK(refused(fault_of<busy_error>([&] {  // a transaction, and on its connection
    store.with_context([](Context& ctx) { ctx.create<AccountAggregate>("b"); });
  })));
  other.leave();
  append(store, "a", "Made");
  CHECK(count(store) == 2);
  CHECK(other.enter(at_once));  // the turn was given back
  other.leave();
}

TEST_CASE("fair: who writes without the queue holds a turn up no longer than busy_timeout") {
  if (!harness::on_file()) return;
  const harness::Place place;
  auto store = connect(uri(place, "&busy_timeout=50"));
  auto plain = connect("sqlite:" + place.file());
  plain.with_context([&](Context& ctx) {
    ctx.create<AccountAggregate>("a");
    CHECK(fault_of<busy_error>([&] {
            append(store, "b", "Made");
          }).find("database is locked: another connection writes") != std::string::npos);
    WriterQueue other(place.file());
    CHECK(other.enter(at_once));
    other.leave();
  });
  append(store, "b", "Made");
  append(plain, "b", "Made");
  CHECK(count(store) == 2);
}

TEST_CASE("fair: several programs, each with two stores and many threads, write all they have") {
  if (!harness::on_file()) return;
  const harness::Place place;
  constexpr int programs = 3, stores = 2, threads = 4, events = 10;
  const int failed = evercore::test::in_processes(programs, [&](int) {
    EventStore opened[stores] = {connect(uri(place, "&busy_timeout=60000")),
                                 connect(uri(place, "&busy_timeout=60000"))};
    std::atomic<int> faults{0};
    {
      std::vector<std::jthread> running;
      running.reserve(stores * threads);
      for (int t = 0; t < stores * threads; ++t) {
        running.emplace_back([&, t] {
          try {
            for (int i = 0; i < events; ++i) {
              append(opened[t % stores], "k" + std::to_string(t), "Made", 1 + i % 2);
            }
          } catch (const std::exception& fault) {
            std::fprintf(stderr, "%s\n", fault.what());
            ++faults;
          }
        });
      }
    }
    if (faults != 0) throw std::runtime_error("a thread failed");
  });
  CHECK(failed == 0);
  auto store = connect(uri(place, ""));
  CHECK(count(store) == programs * stores * threads * events * 3 / 2);
  CHECK_FALSE(is_locked(place.file(), 0));
  CHECK_FALSE(is_locked(place.file(), 1));
}

TEST_CASE("fair: there is a queue where it was asked for, and none in memory") {
  if (!harness::on_file()) return;
  const harness::Place place;
  const auto made = [&] { return std::filesystem::exists(place.file() + "-queue"); };
  {
    auto plain = connect("sqlite:" + place.file());
    append(plain, "a", "Made");
    CHECK_FALSE(made());
    auto off = connect("sqlite:" + place.file() + "?fair=off");
    append(off, "a", "Made");
    CHECK_FALSE(made());
  }
  auto memory = connect("memory:?fair=on");
  append(memory, "a", "Made");
  CHECK_FALSE(std::filesystem::exists(":memory:-queue"));
  auto fair = connect("sqlite:" + place.file() + "?fair=on");
  CHECK(made());
}
