// What the C++ library costs over raw C on evercore's own tables, in SQLite. The contenders of a
// question are run in turns, five times; the medians and their ratio to the first are printed.
//   build/bench/library_sqlite [directory]
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "library_bench.h"

namespace {

// Raw C on the same tables.
class Raw {
 public:
  explicit Raw(const std::string& path) {
    sqlite3_open(path.c_str(), &db_);
    sqlite3_busy_timeout(db_, 5000);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=NORMAL");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    insert_ = prepare(
        "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
        " VALUES (?,?,?,?,?)");
    select_ = prepare(
        "SELECT sequence, type_id, data FROM evercore_event WHERE aggregate_id = ? ORDER BY "
        "sequence");
  }
  ~Raw() {
    for (auto* statement : {begin_, commit_, insert_, select_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  void begin() { step(begin_); }
  void commit() { step(commit_); }
  void insert(std::int64_t aggregate, std::int64_t sequence, const std::string& data) {
    sqlite3_bind_int64(insert_, 1, aggregate);
    sqlite3_bind_int64(insert_, 2, sequence);
    sqlite3_bind_int64(insert_, 3, 1);
    sqlite3_bind_int64(insert_, 4, now().time_since_epoch().count());
    sqlite3_bind_text(insert_, 5, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    step(insert_);
  }
  std::int64_t select(std::int64_t aggregate) {
    std::int64_t bytes = 0;
    sqlite3_bind_int64(select_, 1, aggregate);
    while (sqlite3_step(select_) == SQLITE_ROW) {
      bytes += sqlite3_column_int64(select_, 0) + sqlite3_column_int64(select_, 1);
      bytes += sqlite3_column_text(select_, 2)[0] + sqlite3_column_bytes(select_, 2);
    }
    sqlite3_reset(select_);
    return bytes;
  }

 private:
  void run(const char* sql) { sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) {
      std::fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db_));
      std::exit(1);
    }
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (result != SQLITE_DONE) {
      std::fprintf(stderr, "%s\n", sqlite3_errmsg(db_));
      std::exit(1);
    }
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr, *insert_ = nullptr, *select_ = nullptr;
};

constexpr int aggregates = 1000;

// A store with a thousand notebooks of one event each.
struct Bed {
  Bed(const std::filesystem::path& directory, const char* name, const char* parameters)
      : path((directory / name).string()) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    store = std::make_unique<EventStore>(connect("sqlite:" + path + "?" + parameters));
    store->with_context([&](Context& ctx) {
      for (int i = 0; i < aggregates; ++i) {
        notebooks.push_back(ctx.create<NotebookAggregate>());
        notebooks.back().apply(note(i));
      }
    });
  }
  std::string path;
  std::unique_ptr<EventStore> store;
  std::vector<NotebookAggregate> notebooks;
};

void one_event(bench::Report& report, const std::filesystem::path& directory) {
  Bed bed(directory, "one.db", "synchronous=normal");
  Bed raw_bed(directory, "one_raw.db", "synchronous=normal");
  Raw raw(raw_bed.path);
  const std::string data = encode(note(7));
  constexpr int n = 4000;
  std::vector<std::int64_t> sequences(aggregates, 1);
  std::size_t a = 0, b = 0;
  const auto next = [](std::size_t& i) { return i = (i + 1) % aggregates; };
  const auto by_raw = [&] {
    for (int i = 0; i < n; ++i) {
      const auto k = next(a);
      raw.begin();
      raw.insert(raw_bed.notebooks[k].id(), ++sequences[k], data);
      raw.commit();
    }
  };
  const auto at_hand = [&] {
    for (int i = 0; i < n; ++i) {
      bed.store->with_context([&](Context& ctx) { ctx.apply(bed.notebooks[next(b)], note(i)); });
    }
  };
  const auto loaded = [&] {
    for (int i = 0; i < n; ++i) {
      bed.store->with_context([&](Context& ctx) {
        auto& notebook = bed.notebooks[next(b)];
        notebook = ctx.load<NotebookAggregate>(notebook.id());
        notebook.apply(note(i));
      });
    }
  };
  compare(report, "one event a transaction, 1,000 aggregates, synchronous=NORMAL",
          {{"raw C: BEGIN IMMEDIATE, INSERT, COMMIT", n, by_raw},
           {"typed context, aggregate at hand", n, at_hand},
           {"typed context, load (1 to 40 events), apply", n, loaded}});
}

void thousand_events(bench::Report& report, const std::filesystem::path& directory) {
  Bed bed(directory, "many.db", "synchronous=normal");
  Bed raw_bed(directory, "many_raw.db", "synchronous=normal");
  Raw raw(raw_bed.path);
  const std::string data = encode(note(7));
  constexpr int n = 20, size = 1000;
  std::vector<std::int64_t> sequences(aggregates, 1);
  const auto raw_to = [&](bool spread) {
    for (int i = 0; i < n; ++i) {
      raw.begin();
      for (std::size_t k = 0; k < size; ++k) {
        const std::size_t to = spread ? k : 5;
        raw.insert(raw_bed.notebooks[to].id(), ++sequences[to], data);
      }
      raw.commit();
    }
  };
  const auto typed_to = [&](bool spread) {
    for (int i = 0; i < n; ++i) {
      bed.store->with_context([&](Context& ctx) {
        for (std::size_t k = 0; k < size; ++k) ctx.apply(bed.notebooks[spread ? k : 5], note(i));
      });
    }
  };
  for (const bool spread : {true, false}) {
    compare(report,
            spread ? "1,000 events a transaction over 1,000 aggregates"
                   : "1,000 events a transaction to one aggregate",
            {{"raw C", n * size, [&] { raw_to(spread); }},
             {"typed context", n * size, [&] { typed_to(spread); }}});
  }
}

void loading(bench::Report& report, const std::filesystem::path& directory) {
  Bed bed(directory, "load.db", "synchronous=normal");
  std::vector<std::int64_t> contiguous, interleaved;
  for (int i = 0; i < 20; ++i) {
    bed.store->with_context([&](Context& ctx) {
      auto notebook = ctx.create<NotebookAggregate>();
      for (int k = 0; k < 1000; ++k) notebook.apply(note(k));
      contiguous.push_back(notebook.id());
    });
  }
  for (int k = 0; k < 999; ++k) {
    bed.store->with_context([&](Context& ctx) {
      for (std::size_t i = 0; i < 100; ++i) ctx.apply(bed.notebooks[i], note(k));
    });
  }
  for (std::size_t i = 0; i < 20; ++i) interleaved.push_back(bed.notebooks[i].id());
  Raw raw(bed.path);
  std::int64_t sum = 0;
  const auto both = [&](const char* question, const std::vector<std::int64_t>& ids) {
    constexpr int rounds = 5;
    const auto by_raw = [&] {
      for (int r = 0; r < rounds; ++r) {
        for (auto id : ids) sum += raw.select(id);
      }
    };
    const auto typed = [&] {
      for (int r = 0; r < rounds; ++r) {
        for (auto id : ids) {
          sum += bed.store->with_readonly_context(
              [&](ReadonlyContext& ctx) { return ctx.load<NotebookAggregate>(id)->number; });
        }
      }
    };
    const double count = rounds * 1000.0 * static_cast<double>(ids.size());
    compare(report, question,
            {{"raw C: SELECT of the rows", count, by_raw}, {"typed load", count, typed}});
  };
  both("load of 1,000 events, no snapshot, contiguous", contiguous);
  both("load of 1,000 events, no snapshot, interleaved among 100 aggregates", interleaved);
  if (sum == 0) std::puts("");
}

// What snapshots cost the writer and save the reader: the default frequency rests on this.
template <class Aggregate>
void snapshots(const std::filesystem::path& directory, const char* name) {
  Bed bed(directory, "snapshots.db", "synchronous=normal");
  constexpr int n = 2000;
  auto aggregate = bed.store->with_context([](Context& ctx) { return ctx.create<Aggregate>(); });
  const double writing = seconds([&] {
    for (int i = 0; i < n; ++i) {
      bed.store->with_context([&](Context& ctx) { ctx.apply(aggregate, note(i)); });
    }
  });
  // Half a period after the newest snapshot: what a load finds on average.
  const auto every = std::max<std::int64_t>(aggregate.type().snapshot_every, 1);
  for (std::int64_t i = 0; i < every / 2; ++i) {
    bed.store->with_context([&](Context& ctx) { ctx.apply(aggregate, note(i)); });
  }
  const double loading = seconds([&] {
    for (int i = 0; i < 200; ++i) {
      bed.store->with_readonly_context(
          [&](ReadonlyContext& ctx) { ctx.load<Aggregate>(aggregate.id()); });
    }
  });
  std::printf("  snapshot_every %-6s %8.2f us an event written %10.1f us a load\n", name,
              writing / n * 1e6, loading / 200 * 1e6);
}

void snapshot_frequencies(const std::filesystem::path& directory) {
  std::puts("snapshots: one event a context, 2,000 events in the aggregate");
  snapshots<NotebookEvery<0>>(directory, "0");
  snapshots<NotebookEvery<10>>(directory, "10");
  snapshots<NotebookEvery<50>>(directory, "50");
  snapshots<NotebookEvery<100>>(directory, "100");
  snapshots<NotebookEvery<200>>(directory, "200");
  snapshots<NotebookEvery<500>>(directory, "500");
}

void durable(bench::Report& report, const std::filesystem::path& directory) {
  Bed bed(directory, "full.db", "synchronous=full");
  const auto threads_write = [&](int threads, int each) {
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        auto& notebook = bed.notebooks[static_cast<std::size_t>(t)];
        for (int i = 0; i < each; ++i) {
          bed.store->with_context([&](Context& ctx) { ctx.apply(notebook, note(i)); });
        }
      });
    }
    for (auto& thread : running) thread.join();
  };
  const int fd = open((directory / "fsync").c_str(), O_CREAT | O_RDWR, 0600);
  const auto sync_pages = [&] {
    for (int i = 0; i < 300; ++i) {
      if (pwrite(fd, "x", 1, i * 4096) != 1 || fdatasync(fd) != 0) std::exit(1);
    }
  };
  compare(report, "durable: synchronous=FULL, one event a context",
          {{"1 thread", 300, [&] { threads_write(1, 300); }},
           {"4 threads", 1200, [&] { threads_write(4, 300); }},
           {"16 threads", 4800, [&] { threads_write(16, 300); }},
           {"64 threads", 9600, [&] { threads_write(64, 150); }},
           {"(fdatasync of a page, for comparison)", 300, sync_pages}});
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "build/bench/data";
  std::filesystem::create_directories(directory);
  bench::Report report("library_sqlite");
  one_event(report, directory);
  thousand_events(report, directory);
  loading(report, directory);
  if (report.asks("snapshots")) snapshot_frequencies(directory);
  durable(report, directory);
  return report.finish();
}
