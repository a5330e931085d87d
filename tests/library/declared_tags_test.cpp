// Declared tags: an event struct says which members its tags come from, the store tags by itself.
#include <doctest/doctest.h>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::Context;
using harness::fault_of;

namespace {

enum class Level { basic, advanced };

struct Enrolled {
  std::string course_id;
  std::vector<std::string> students;
  std::optional<std::int64_t> seat;
  Level level = Level::basic;
  static constexpr std::string_view json_names[][2] = {{"course_id", "course/id"}};
  static constexpr std::string_view declared_tags[][2] = {
      {"course", "course_id"}, {"student", "students"}, {"seat", "seat"}, {"level", "level"}};
};
struct Left {
  std::string course_id;
};

struct School {
  std::int64_t enrolled = 0;
  void apply(const Enrolled&) { ++enrolled; }
  void apply(const Left&) { --enrolled; }
};
using SchoolAggregate = evercore::StateAggregate<School, Enrolled, Left>;

// The same event as a version of the program that says nothing of tags has it, and one that says other.
namespace before {
struct Enrolled {
  std::string course_id;
  static constexpr std::string_view json_names[][2] = {{"course_id", "course/id"}};
};
struct School {
  std::int64_t enrolled = 0;
  void apply(const Enrolled&) { ++enrolled; }
};
using SchoolAggregate = evercore::StateAggregate<School, Enrolled>;
}  // namespace before
namespace after {
struct Enrolled {
  std::string course_id;
  static constexpr std::string_view json_names[][2] = {{"course_id", "course/id"}};
  static constexpr std::string_view declared_tags[][2] = {{"at", "course_id"}};
};
struct School {
  std::int64_t enrolled = 0;
  void apply(const Enrolled&) { ++enrolled; }
};
using SchoolAggregate = evercore::StateAggregate<School, Enrolled>;
}  // namespace after

using Tags = std::vector<std::string>;

std::string declared(harness::Fresh& fresh, const std::string& type) {
  std::string tags = "none";
  const std::string sql = "SELECT CAST(tags AS text) FROM " +
                          fresh.place.relation("evercore_event_types") + " WHERE event_type = $1";
  auto sink = [&](const evercore::Row& row) {
    if (!row.is_null(0)) tags = row.text(0);
  };
  fresh->with_context([&](Context& ctx) { ctx.execute(sql, {type}, sink); });
  return tags;
}

void enroll(evercore::EventStore& store, evercore::EventOptions options = {}) {
  store.with_context([&](Context& ctx) {
    auto school = ctx.load_or_create<SchoolAggregate>("s");
    school.apply(Enrolled{"c1", {"ann", "bob"}, 7, Level::advanced}, std::move(options));
  });
}

}  // namespace

TEST_CASE("events bear the tags that their struct declares, before those they are applied with") {
  harness::Fresh fresh;
  enroll(fresh.store, {.tags = {"extra", "course:c1"}});
  fresh->with_context([](Context& ctx) {
    auto school = ctx.load<SchoolAggregate>("s");
    school.apply(Enrolled{"c2", {}, {}, Level::basic});
    school.apply(Left{"c2"});
  });
  const auto events = fresh->follow(0);
  REQUIRE(events.size() == 3);
  CHECK(events[0].tags ==
        Tags{"course:c1", "student:ann", "student:bob", "seat:7", "level:advanced", "extra"});
  CHECK(events[1].tags == Tags{"course:c2", "level:basic"});
  CHECK(events[2].tags.empty());
  CHECK(declared(fresh, "Enrolled") ==
        R"({"course":"/course~1id","student":"/students","seat":"/seat","level":"/level"})");
  CHECK(declared(fresh, "Left") == "none");
  CHECK(fresh->check().empty());
}

TEST_CASE("a decision by declared tags names no tags where it appends") {
  if (harness::on_memory()) return;  // one connection: nobody comes between
  harness::Fresh fresh;
  enroll(fresh.store);
  const auto count = [](Context& ctx) {
    return ctx.decide<School, Enrolled, Left>({{.tags = {"student:ann"}}}).enrolled;
  };
  CHECK(fault_of([&] {
          fresh->with_context([&](Context& ctx) {
            CHECK(count(ctx) == 1);
            enroll(fresh.store);  // another's, meanwhile
            auto school = ctx.load_or_create<SchoolAggregate>("other");
            school.apply(Enrolled{"c3", {"ann"}, {}, Level::basic});
          });
        }).find("EV001") != std::string::npos);
}

TEST_CASE("events that were there before their struct declared tags bear them from its first use") {
  harness::Fresh fresh;
  fresh->with_context([](Context& ctx) {
    auto school = ctx.create<before::SchoolAggregate>("s");
    school.apply(before::Enrolled{"old"}, {.tags = {"given"}});
  });
  CHECK(fresh->follow(0).front().tags == Tags{"given"});
  evercore::EventStore newer = harness::another_program(fresh.store);
  newer.warmup<SchoolAggregate>();
  CHECK(newer.follow(0).front().tags == Tags{"course:old", "given"});
  // A version beside it that says nothing takes nothing away.
  evercore::EventStore older = harness::another_program(fresh.store);
  older.with_context([](Context& ctx) {
    auto school = ctx.load<before::SchoolAggregate>("s");
    school.apply(before::Enrolled{"new"});
  });
  CHECK(newer.follow(0).back().tags == Tags{"course:new"});
  CHECK(newer.check().empty());
}

TEST_CASE("what the store has is not declared again, and tags that differ stay as they are") {
  if (harness::on_memory()) return;  // one connection: it does not see whether it wrote
  harness::Fresh fresh;
  enroll(fresh.store);
  evercore::EventStore observer = evercore::connect(fresh.place.uri() + "&pool_size=1");
  // What any declaration changes, seen from a connection that makes none.
  const auto newest_write = [&] {
    std::string written;
    const std::string sql = harness::on_postgres()
                                ? "SELECT CAST(xmin AS text) FROM evercore._evercore_declared"
                                : "SELECT CAST(data_version AS text) FROM pragma_data_version";
    auto sink = [&](const evercore::Row& row) { written = row.text(0); };
    observer.with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
    return written;
  };
  const std::string before = newest_write();
  harness::another_program(fresh.store).warmup<SchoolAggregate>();
  CHECK(newest_write() == before);
  evercore::EventStore other = harness::another_program(fresh.store);
  CHECK(fault_of<evercore::declaration_error>([&] { other.warmup<after::SchoolAggregate>(); }) ==
        R"(event type "Enrolled" has the tags {"course":"/course~1id","student":"/students",)"
        R"("seat":"/seat","level":"/level"} in the store, and {"at":"/course~1id"} here)");
  CHECK(newest_write() == before);
  CHECK(fresh->follow(0).front().tags.front() == "course:c1");
  other.declare<after::SchoolAggregate>(evercore::replace);
  CHECK(newest_write() != before);
  CHECK(declared(fresh, "Enrolled") == R"({"at":"/course~1id"})");
  CHECK(fresh->follow(0).front().tags.back() == "at:c1");
}

TEST_CASE("who may not declare is told what the owner should run, and needs nothing more then") {
  if (!harness::on_postgres()) return;
  harness::Fresh fresh;
  const std::string as_writer = fresh.place.uri() + "&migrate=off&options=-crole%3Devercore_writer";
  auto writer = evercore::connect(as_writer);
  const std::string told = fault_of([&] { enroll(writer); });
  CHECK(told ==
        "42501: permission denied to declare tags of \"Enrolled\": let the owner of the store run "
        "SELECT evercore.evercore_event_type('Enrolled', 'custom', '{\"tags\":{\"course\":"
        "\"/course~1id\",\"student\":\"/students\",\"seat\":\"/seat\",\"level\":\"/level\"}}')");
  CHECK(fault_of([&] { writer.warmup<SchoolAggregate>(); }) == told);
  CHECK(fresh->follow(0).empty());
  fresh->with_context([&](Context& ctx) { ctx.execute(told.substr(told.find("SELECT ")), {}); });
  enroll(writer);
  CHECK(fresh->follow(0).front().tags.front() == "course:c1");
  fresh->with_context([&](Context& ctx) {
    // An append is under way: a declaration that changed something would wait for it.
    ctx.execute(R"(SELECT evercore.evercore_append(1, NULL, 'Left', '{"course_id":"c1"}'))", {});
    evercore::connect(as_writer + "%20-clock_timeout%3D1").warmup<SchoolAggregate>();
  });
}
