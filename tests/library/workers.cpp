// Workers that are killed while they share a subscription: 4 of them run one in 8 partitions, in the
// transactional form, while 4 writers append to 500 aggregates; a worker is killed by SIGKILL ten
// times, and another takes its place. Afterwards every event must have had exactly one effect, and
// those of an aggregate must be in order.
//   workers [events]                    a whole run, on the engine of the environment (harness.h)
//   workers worker <uri> <table>        one worker, until it is killed
//   workers writer <uri> <n> <events>   one writer
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "harness.h"

using namespace evercore;

namespace {

constexpr int workers = 4, writers = 4, aggregates = 500, kills = 10;
constexpr const char* name = "effects";
const Filter things{.aggregate_type = "Thing"};

int passed = 0, failed = 0;
void check(bool holds, const std::string& what) {
  ++(holds ? passed : failed);
  if (!holds) std::printf("%s on %s: does not hold\n", what.c_str(), harness::engine().c_str());
}

pid_t start(const std::vector<std::string>& arguments) {
  const pid_t child = fork();
  if (child != 0) return child;
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  execv("/proc/self/exe", pointers.data());
  _exit(127);
}

int work(const std::string& uri, const std::string& table) {
  auto store = connect(uri);
  SubscriptionOptions options;
  options.partitions = 8;
  options.lease = std::chrono::seconds{1};
  options.poll_longest = std::chrono::milliseconds{100};
  store.run_subscription(
      name, things, Start::beginning(), options, [&](Context& ctx, const RecordedEvent& event) {
        ctx.execute("INSERT INTO " + table + " (aggregate_id, sequence) VALUES ($1, $2)",
                    {event.aggregate_id, event.sequence});
      });
  return 0;
}

int append(const std::string& uri, unsigned writer, int events) {
  auto store = connect(uri);
  std::minstd_rand random(writer);
  for (int done = 0; done < events;) {
    const int together = std::min(1 + static_cast<int>(random() % 20), events - done);
    store.with_retry([&](Context& ctx) {
      for (int i = 0; i < together; ++i) {
        const auto key = "k" + std::to_string(random() % aggregates);
        ctx.publish("Thing", key, {"Changed", R"({"by":"a writer"})"});
      }
    });
    done += together;
  }
  return 0;
}

struct Counts {
  std::int64_t effects = 0;
  std::int64_t different = 0;
  std::int64_t disorders = 0;
};

std::int64_t number(EventStore& store, const std::string& sql) {
  std::int64_t number = 0;
  auto sink = [&](const Row& row) { number = row.integer(0); };
  store.with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
  return number;
}

Counts count(EventStore& store, const std::string& table) {
  return {number(store, "SELECT count(*) FROM " + table),
          number(store, "SELECT count(*) FROM (SELECT DISTINCT aggregate_id, sequence FROM " +
                            table + ") d"),
          number(store,
                 "SELECT count(*) FROM (SELECT sequence - lag(sequence) OVER (PARTITION BY"
                 " aggregate_id ORDER BY number) AS step FROM " +
                     table + ") s WHERE step <> 1")};
}

int drive(int events) {
  harness::Place place;
  const std::string table = place.relation("effect");
  auto store = connect(place.uri());
  store.with_context([&](Context& ctx) {
    ctx.execute(
        "CREATE TABLE " + table + " (number " +
        (harness::on_postgres() ? "bigint GENERATED ALWAYS AS IDENTITY" : "INTEGER PRIMARY KEY") +
        ", aggregate_id bigint, sequence bigint)");
  });
  std::vector<pid_t> running, writing;
  for (int i = 0; i < workers; ++i) running.push_back(start({"w", "worker", place.uri(), table}));
  for (int i = 0; i < writers; ++i) {
    writing.push_back(start(
        {"w", "writer", place.uri(), std::to_string(i + 1), std::to_string(events / writers)}));
  }
  int killed = 0;
  auto until = std::chrono::steady_clock::now() + std::chrono::minutes{5};
  for (std::int64_t seen = 0; seen < events;) {
    const std::int64_t now = number(store, "SELECT count(*) FROM " + table);
    if (now > seen) until = std::chrono::steady_clock::now() + std::chrono::minutes{5};
    if (std::chrono::steady_clock::now() > until) break;
    seen = now;
    if (killed < kills && seen > std::int64_t{events} * (killed + 1) / (kills + 1)) {
      const auto victim = static_cast<std::size_t>(killed++ % workers);
      kill(running[victim], SIGKILL);
      waitpid(running[victim], nullptr, 0);
      running[victim] = start({"w", "worker", place.uri(), table});
    }
  }
  bool wrote = true;
  for (const pid_t writer : writing) {
    int status = 0;
    waitpid(writer, &status, 0);
    wrote = wrote && status == 0;
  }
  bool alive = true;
  for (const pid_t worker : running) alive = waitpid(worker, nullptr, WNOHANG) == 0 && alive;
  for (const pid_t worker : running) {
    kill(worker, SIGKILL);
    waitpid(worker, nullptr, 0);
  }
  const Counts counts = count(store, table);
  check(wrote, "every writer wrote what it had to");
  check(killed == kills, "a worker was killed ten times");
  check(alive, "no worker ended by itself");
  check(counts.effects == events, "every event had its effect");
  check(counts.different == counts.effects, "no event had two");
  check(counts.disorders == 0, "the effects of each aggregate are in order");
  check(store.check().empty(), "nothing is wrong with the store");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 4 && std::strcmp(argv[1], "worker") == 0) return work(argv[2], argv[3]);
  if (argc == 5 && std::strcmp(argv[1], "writer") == 0) {
    return append(argv[2], static_cast<unsigned>(std::atoi(argv[3])), std::atoi(argv[4]));
  }
  return drive(argc > 1 ? std::atoi(argv[1]) : 20'000);
} catch (const std::exception& fault) {
  std::fprintf(stderr, "workers: %s\n", fault.what());
  return 1;
}
