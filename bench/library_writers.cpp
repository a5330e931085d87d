// What do programs that write to one SQLite file at once get? Each appends events of its own, one a
// transaction, by an INSERT into a table by hand, by evercore_append and by the C++ library; once as
// SQLite waits for its lock, once in naps, as the library does, and once in the queue of the library's fair=on.
//   build/bench/library_writers [processes [events of each [busy_timeout in ms [rounds]]]]
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <random>

#include "ext/evercore.h"
#include "library_bench.h"
#include "writer_queue.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Settings {
  std::size_t processes = 8;
  std::size_t events = 1500;
  milliseconds busy_timeout{5000};
  std::size_t rounds = 3;
};

// One event; false where that ended in "database is locked".
using Append = std::function<bool(std::size_t number)>;

void die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  _exit(2);
}

enum class Wait { sqlite, naps, queue };

// Naps as the library's own, up to 5 ms.
struct Naps {
  milliseconds longest;
  Clock::time_point since{};
  std::minstd_rand random{static_cast<unsigned>(getpid())};

  static int wait(void* self, int attempt) {
    auto& naps = *static_cast<Naps*>(self);
    const auto now = Clock::now();
    if (attempt == 0) naps.since = now;
    if (now - naps.since >= naps.longest) return 0;
    std::uniform_int_distribution<int> nap(50, std::min(200 << std::min(attempt, 5), 5000));
    std::this_thread::sleep_for(std::chrono::microseconds{nap(naps.random)});
    return 1;
  }
};

// A connection of a program in C, and its one statement.
class Connection {
 public:
  Connection(const std::string& path, const char* sql, Wait wait, milliseconds busy_timeout)
      : busy_timeout_(busy_timeout) {
    sqlite3_open(path.c_str(), &db_);
    sqlite3_busy_timeout(db_, static_cast<int>(busy_timeout.count()));
    sqlite3_evercore_init(db_, nullptr, nullptr);
    sqlite3_exec(db_, "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
    if (sqlite3_prepare_v2(db_, sql, -1, &statement_, nullptr) != SQLITE_OK) {
      die(sqlite3_errmsg(db_));
    }
    if (wait == Wait::naps) sqlite3_busy_handler(db_, &Naps::wait, &naps_);
    if (wait == Wait::queue) queue_ = std::make_unique<detail::WriterQueue>(path);
  }
  sqlite3_stmt* statement() const { return statement_; }
  bool run() const {
    if (queue_ && !queue_->enter(detail::WaitClock::now() + busy_timeout_)) return false;
    while (sqlite3_step(statement_) == SQLITE_ROW) {
    }
    const int result = sqlite3_reset(statement_);
    if (queue_) queue_->leave();
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) die(sqlite3_errmsg(db_));
    return result == SQLITE_OK;
  }

 private:
  milliseconds busy_timeout_;
  Naps naps_{busy_timeout_};
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  std::unique_ptr<detail::WriterQueue> queue_;
};

// How one contender's programs begin: called in each of them.
using Begin = std::function<Append(const std::string& path, std::size_t process)>;

Append by_hand(const std::string& path, std::size_t process, Wait wait, milliseconds timeout) {
  auto connection = std::make_shared<Connection>(
      path, "INSERT INTO by_hand (stream, version, type, data) VALUES (?1, ?2, 'Noted', ?3)", wait,
      timeout);
  return [=, data = encode(note(7))](std::size_t number) {
    sqlite3_stmt* insert = connection->statement();
    sqlite3_bind_int64(insert, 1, static_cast<std::int64_t>(process));
    sqlite3_bind_int64(insert, 2, static_cast<std::int64_t>(number));
    sqlite3_bind_text(insert, 3, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    return connection->run();
  };
}

Append by_call(const std::string& path, std::size_t process, Wait wait, milliseconds timeout) {
  auto connection = std::make_shared<Connection>(
      path, "SELECT evercore_append(?1, NULL, 'Noted', ?2)", wait, timeout);
  return [=, data = encode(note(7))](std::size_t) {
    sqlite3_stmt* append = connection->statement();
    sqlite3_bind_int64(append, 1, static_cast<std::int64_t>(process) + 1);
    sqlite3_bind_text(append, 2, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    return connection->run();
  };
}

Append by_library(const std::string& path, std::size_t process, const char* fair,
                  milliseconds timeout) {
  auto store =
      std::make_shared<EventStore>(connect("sqlite:" + path + "?synchronous=full&fair=" + fair +
                                           "&busy_timeout=" + std::to_string(timeout.count())));
  auto notebook = std::make_shared<NotebookAggregate>(store->with_context([&](Context& ctx) {
    return ctx.load<NotebookAggregate>(static_cast<std::int64_t>(process) + 1);
  }));
  return [=](std::size_t number) {
    try {
      store->with_context(
          [&](Context& ctx) { ctx.apply(*notebook, note(static_cast<std::int64_t>(number))); });
      return true;
    } catch (const busy_error&) {
      return false;
    }
  };
}

// What the programs of one run tell, in memory that they share.
struct Told {
  std::atomic<std::size_t> ready, locked;
  std::atomic<bool> go;
  double seconds[1000];
};

template <class T>
T* shared(std::size_t count) {
  void* memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("no memory");
  return static_cast<T*>(memory);
}

struct Writers {
  std::string name;
  Begin begin;
  std::size_t locked = 0;
  std::vector<double> waits{}, rates{}, spreads{};
};

void write_events(const Writers& writers, const std::string& path, std::size_t process,
                  std::size_t events, Told& told, double* waits) {
  const Append append = writers.begin(path, process);
  ++told.ready;
  while (!told.go) usleep(100);
  const auto start = Clock::now();
  auto before = start;
  for (std::size_t i = 0; i < events; ++i) {
    if (!append(i)) ++told.locked;
    const auto after = Clock::now();
    waits[i] = std::chrono::duration<double, std::milli>(after - before).count();
    before = after;
  }
  told.seconds[process] = std::chrono::duration<double>(before - start).count();
}

void make_store(const std::string& path, std::size_t processes) {
  for (const char* suffix : {"", "-wal", "-shm", "-queue"}) std::filesystem::remove(path + suffix);
  {
    EventStore store = connect("sqlite:" + path);
    store.with_context([&](Context& ctx) {
      for (std::size_t i = 0; i < processes; ++i) ctx.create<NotebookAggregate>().apply(note(0));
    });
  }
  Connection(path,
             "CREATE TABLE by_hand (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version"
             " INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream, version))",
             Wait::sqlite, milliseconds{5000})
      .run();
}

void run(Writers& writers, const std::string& path, const Settings& settings) {
  make_store(path, settings.processes);
  Told& told = *new (shared<Told>(1)) Told{};
  double* waits = shared<double>(settings.processes * settings.events);
  std::vector<pid_t> children;
  for (std::size_t p = 0; p < settings.processes; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        write_events(writers, path, p, settings.events, told, waits + p * settings.events);
      } catch (const std::exception& fault) {
        die(fault.what());
      }
      _exit(0);
    }
    children.push_back(child);
  }
  while (told.ready < settings.processes) usleep(1000);
  const double took = seconds([&] {
    told.go = true;
    for (const pid_t child : children) {
      int status = 0;
      if (waitpid(child, &status, 0) != child || status != 0) std::exit(2);
    }
  });
  const std::size_t all = settings.processes * settings.events;
  writers.locked += told.locked;
  writers.rates.push_back(static_cast<double>(all) / took);
  writers.waits.insert(writers.waits.end(), waits, waits + all);
  const auto [first, last] = std::minmax_element(told.seconds, told.seconds + settings.processes);
  writers.spreads.push_back(*last / *first);
  munmap(waits, all * sizeof(double));
  munmap(&told, sizeof(Told));
}

double at(std::vector<double>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last)];
}

void tell(bench::Report& report, Writers& writers, const Settings& settings) {
  for (auto* values : {&writers.waits, &writers.rates, &writers.spreads}) {
    std::sort(values->begin(), values->end());
  }
  const std::pair<const char*, double> figures[] = {
      {"locked", static_cast<double>(writers.locked)},
      {"p50 ms", at(writers.waits, 0.5)},
      {"p99 ms", at(writers.waits, 0.99)},
      {"p99.9 ms", at(writers.waits, 0.999)},
      {"max ms", at(writers.waits, 1)},
      {"slow/fast", at(writers.spreads, 0.5)},
      {"events/s", at(writers.rates, 0.5)},
  };
  const std::string title = std::to_string(settings.processes) + " processes";
  static bool headed = false;
  if (!std::exchange(headed, true)) {
    std::printf("%-40s", title.c_str());
    for (const auto& [name, value] : figures) std::printf(" %9s", name);
    std::puts("");
  }
  std::printf("%-40s", writers.name.c_str());
  for (const auto& [name, value] : figures) {
    std::printf(" %9.*f", value == std::floor(value) || value > 1000 ? 0 : 2, value);
    report.keep({title + ": " + writers.name + ": " + name, value, ""});
  }
  std::puts("");
}

std::size_t argument(int argc, char** argv, int index, std::size_t otherwise) {
  return argc > index ? std::strtoul(argv[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  settings.processes =
      std::clamp<std::size_t>(argument(argc, argv, 1, settings.processes), 1, 1000);
  settings.events = std::max<std::size_t>(argument(argc, argv, 2, settings.events), 1);
  settings.busy_timeout = milliseconds{argument(argc, argv, 3, 5000)};
  settings.rounds = std::max<std::size_t>(argument(argc, argv, 4, settings.rounds), 1);
  const auto timeout = settings.busy_timeout;
  std::vector<Writers> contenders;
  for (const auto& [wait, how] : {std::pair{Wait::sqlite, "SQLite's wait"},
                                  {Wait::naps, "naps"},
                                  {Wait::queue, "the queue"}}) {
    contenders.push_back({std::string("INSERT by hand, ") + how,
                          [=, wait = wait](const std::string& path, std::size_t process) {
                            return by_hand(path, process, wait, timeout);
                          }});
    contenders.push_back({std::string("evercore_append, ") + how,
                          [=, wait = wait](const std::string& path, std::size_t process) {
                            return by_call(path, process, wait, timeout);
                          }});
  }
  contenders.push_back(
      {"evercore_append, every other queues", [=](const std::string& path, std::size_t process) {
         const Wait wait = process % 2 == 0 ? Wait::sqlite : Wait::queue;
         return by_call(path, process, wait, timeout);
       }});
  for (const char* fair : {"off", "on"}) {
    contenders.push_back({std::string("C++ library, fair=") + fair,
                          [=](const std::string& path, std::size_t process) {
                            return by_library(path, process, fair, timeout);
                          }});
  }
  const std::filesystem::path directory = "build/bench/data";
  std::filesystem::create_directories(directory);
  bench::Report report("library_writers");
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    for (auto& writers : contenders) {
      if (report.asks(writers.name)) run(writers, directory / "writers.db", settings);
    }
  }
  for (auto& writers : contenders) {
    if (!writers.waits.empty()) tell(report, writers, settings);
  }
  return report.finish();
}
