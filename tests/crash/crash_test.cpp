// kill -9 at any moment: what was acknowledged is there, no batch is there in part, no sequence is
// missing. The long form: EVERCORE_SOAK=seconds.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/database.h"
#include "support/process.h"

using namespace evercore::test;

namespace {

constexpr int writers = 3;

/// Appends batches of three events for ever, and writes the number of each to `acknowledged` once
/// it is committed.
[[noreturn]] void write_batches(const std::string& file, int writer, int first_batch,
                                int acknowledged) {
  try {
    Database db(file, Database::Store::none);
    sqlite3_busy_timeout(db.handle(), 30000);
    for (int batch = first_batch;; ++batch) {
      const std::string data =
          "{\"w\":" + std::to_string(writer) + ",\"b\":" + std::to_string(batch) + "}";
      const std::string key = "w" + std::to_string(writer);
      switch (batch % 3) {
        case 0:
          db.must(
              "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
              "('T','" +
              key + "','A','" + data + "'),('T','shared','B','" + data + "'),('T','" + key +
              "','C','" + data + "')");
          break;
        case 1:
          db.must("SELECT evercore_append_many('[{\"aggregate_type\":\"T\",\"natural_key\":\"" +
                  key + "\",\"events\":[{\"event_type\":\"A\",\"data\":" + data +
                  "},{\"event_type\":\"B\",\"data\":" + data +
                  "}]},{\"aggregate_type\":\"T\",\"natural_key\":\"shared\",\"events\":[{\"event_"
                  "type\":\"C\",\"data\":" +
                  data + "}]}]')");
          break;
        default:
          db.must("BEGIN IMMEDIATE");
          for (int i = 0; i < 3; ++i)
            db.must("SELECT evercore_append(evercore_ensure('T','" + key + "'), NULL, 'A', '" +
                    data + "')");
          db.must("COMMIT");
          break;
      }
      if (batch % 50 == 49) db.must("SELECT evercore_snapshot(evercore_find('T','" + key + "'))");
      if (write(acknowledged, &batch, sizeof batch) != sizeof batch) _exit(0);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "writer %d: %s\n", writer, failure.what());
    _exit(1);
  }
}

struct Writer {
  pid_t process = 0;
  int acknowledged = -1;  // the end of a pipe
  int next_batch = 0;
  std::vector<int> batches;  // those acknowledged
};

}  // namespace

TEST_CASE("after kill -9 every acknowledged batch is whole and every other is whole or absent") {
  const char* soak = std::getenv("EVERCORE_SOAK");
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(soak == nullptr ? 6 : std::atoi(soak));
  std::mt19937 random(std::random_device{}());
  const Directory directory;
  const std::string file = directory.file("s.db");
  {
    Database db(file);
    db.must("PRAGMA journal_mode = WAL");
    db.must("SELECT evercore_snapshot_policy('T', 25, 1)");
  }
  std::vector<Writer> all(writers);
  int kills = 0, unacknowledged = 0;
  std::int64_t acknowledged_batches = 0;
  std::int64_t head = 0;
  while (kills < 9 || std::chrono::steady_clock::now() < until) {
    for (int w = 0; w < writers; ++w) {
      int ends[2];
      REQUIRE(pipe(ends) == 0);
      fcntl(ends[0], F_SETPIPE_SZ,
            4096);  // so that a writer gets no further than 1,024 batches ahead
      all[static_cast<std::size_t>(w)].process = fork();
      if (all[static_cast<std::size_t>(w)].process == 0) {
        close(ends[0]);
        write_batches(file, w, all[static_cast<std::size_t>(w)].next_batch, ends[1]);
      }
      close(ends[1]);
      all[static_cast<std::size_t>(w)].acknowledged = ends[0];
    }
    // Each writer dies after a random number of batches of its own, so that no clock decides.
    for (Writer& writer : all) {
      for (unsigned left = 1 + random() % 25; left > 0; --left) {
        int batch = 0;
        if (read(writer.acknowledged, &batch, sizeof batch) != sizeof batch) break;
        writer.batches.push_back(batch);
      }
    }
    for (Writer& writer : all) kill(writer.process, SIGKILL);
    for (Writer& writer : all) {
      int status = 0;
      waitpid(writer.process, &status, 0);
      CHECK(WIFSIGNALED(status));
      ++kills;
      int batch = 0;
      while (read(writer.acknowledged, &batch, sizeof batch) == sizeof batch)
        writer.batches.push_back(batch);
      close(writer.acknowledged);
    }
    Database db(file);
    for (int w = 0; w < writers; ++w) {
      Writer& writer = all[static_cast<std::size_t>(w)];
      std::map<int, int> found;
      Query rows(
          db.handle(),
          "SELECT data ->> 'b', count(*) FROM evercore_follow(?3) WHERE data ->> 'w' = ?1 AND data "
          "->> 'b' >= ?2 GROUP BY 1");
      rows.bind(1, static_cast<std::int64_t>(w))
          .bind(2, static_cast<std::int64_t>(writer.next_batch))
          .bind(3, head);
      while (rows.step() == SQLITE_ROW)
        found[static_cast<int>(rows.integer(0))] = static_cast<int>(rows.integer(1));
      for (const auto& [batch, count] : found) REQUIRE(count == 3);
      for (const int batch : writer.batches) REQUIRE(found.contains(batch));
      REQUIRE(found.size() <= writer.batches.size() + 1);
      if (found.size() > writer.batches.size()) ++unacknowledged;
      acknowledged_batches += static_cast<std::int64_t>(writer.batches.size());
      if (!found.empty()) writer.next_batch = found.rbegin()->first + 1;
      writer.batches.clear();
    }
    head = std::stoll(db.must("SELECT coalesce(max(position), 0) FROM evercore_event"));
    if (kills % (5 * writers) == 0) REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  }
  std::printf("%d kills, %lld acknowledged batches, %d durable but not acknowledged\n", kills,
              static_cast<long long>(acknowledged_batches), unacknowledged);
  Database db(file);
  REQUIRE(db.must("PRAGMA integrity_check") == "ok");
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  CHECK(kills >= 9);
  CHECK(acknowledged_batches > 0);
}
