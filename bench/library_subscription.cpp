// How soon does a runner's handler see an append, and what does a runner cost that has nothing to do?
//   build/bench/library_subscription                                a SQLite file
//   tests/postgres/with_server build/bench/library_subscription     PostgreSQL
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "library_bench.h"

namespace {

using Clock = std::chrono::steady_clock;

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

// A runner in a thread, which notes when it saw which event.
class Watcher {
 public:
  explicit Watcher(EventStore store)
      : thread_([this, store](std::stop_token stop) mutable {
          store.run_subscription("watcher", {}, Start::beginning(), {.stop = stop},
                                 [this](const RecordedEvent&) {
                                   seen_at_ = Clock::now().time_since_epoch().count();
                                   ++count_;
                                 });
        }) {}
  // Milliseconds since `start` until the runner has seen `count` events.
  double wait_for(std::int64_t count, Clock::time_point start) const {
    while (count_ < count) std::this_thread::sleep_for(std::chrono::microseconds{50});
    const Clock::time_point seen{Clock::duration{seen_at_}};
    return std::chrono::duration<double, std::milli>(seen - start).count();
  }

 private:
  std::atomic<std::int64_t> count_ = 0;
  std::atomic<Clock::rep> seen_at_ = 0;
  std::jthread thread_;
};

// The median over 200 appends, each after a pause in which the runner goes idle.
double median_delay(EventStore& writer, const Watcher& watcher, std::int64_t& appended) {
  std::vector<double> delays;
  for (int i = 0; i < 200; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{3 + i % 40});
    writer.with_context([](Context& ctx) { ctx.publish("Thing", "k", {"Made", R"({"n":1})"}); });
    delays.push_back(watcher.wait_for(++appended, Clock::now()));
  }
  std::sort(delays.begin(), delays.end());
  return std::max(0.0, delays[delays.size() / 2]);
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::printf("usage: [tests/postgres/with_server] build/bench/library_subscription\n");
    return 2;
  }
  const char* server = std::getenv("EVERCORE_TEST_POSTGRES");
  std::string uri = "sqlite:build/bench/data/subscription.db?synchronous=normal";
  if (server != nullptr) {
    uri = server;
    uri += uri.find('?') == uri.npos ? "?schema=bench_subscription" : "&schema=bench_subscription";
  } else {
    std::filesystem::create_directories("build/bench/data");
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(std::string("build/bench/data/subscription.db") + suffix);
    }
  }
  bench::Report report(server != nullptr ? "subscription_postgres" : "subscription_library");
  auto store = connect(uri);
  // Connected apart, so that it shares nothing with the runner but the database: to the runner its
  // appends are those of another program.
  auto stranger = connect(uri);
  std::int64_t appended = 0;
  {
    const Watcher watcher(store);
    report.add({"from append to handler, same EventStore, median",
                median_delay(store, watcher, appended), "ms"});
    report.add({"from append to handler, another program, median",
                median_delay(stranger, watcher, appended), "ms"});
    const double before = processor_seconds();
    std::this_thread::sleep_for(std::chrono::seconds{10});
    report.add({"an idle runner, share of a core", (processor_seconds() - before) / 10 * 100, "%"});
  }
  return report.finish();
}
