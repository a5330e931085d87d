// Queries, conditions and tags through the library: decisions that rest on events of several aggregates.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::Context;
using evercore::Query;
using harness::fault_of;

namespace {

struct CourseOpened {
  std::int64_t seats = 0;
};
struct StudentSubscribed {
  std::string course;
};
struct StudentLeft {
  std::string course;
};

// What a subscription to a course rests on.
struct CourseSeats {
  std::int64_t seats = 0;
  std::int64_t taken = 0;
  void apply(const StudentSubscribed&) { ++taken; }
  void apply(const StudentLeft&) { --taken; }
};

struct Course {
  std::int64_t seats = 0;
};
using CourseAggregate = evercore::StateAggregate<Course, CourseOpened>;

struct Student {
  std::int64_t courses = 0;
  void apply(const StudentSubscribed&) { ++courses; }
  void apply(const StudentLeft&) { --courses; }
};
using StudentAggregate = evercore::StateAggregate<Student, StudentSubscribed, StudentLeft>;

void open_course(evercore::EventStore& store, const std::string& name, std::int64_t seats) {
  store.with_context([&](Context& ctx) {
    auto course = ctx.create<CourseAggregate>(name);
    course.apply(CourseOpened{seats}, {.tags = {"course:" + name}});
  });
}

CourseSeats seats_of(Context& ctx, const std::string& course) {
  return ctx.decide<CourseSeats, CourseOpened, StudentSubscribed, StudentLeft>(
      {{.tags = {"course:" + course}}});
}

void subscribe(Context& ctx, const std::string& student, const std::string& course) {
  const CourseSeats seats = seats_of(ctx, course);
  if (seats.taken >= seats.seats) throw evercore::refused_error("the course is full");
  auto subscriber = ctx.load_or_create<StudentAggregate>(student);
  subscriber.apply(StudentSubscribed{course}, {.tags = {"course:" + course, "student:" + student}});
}

std::vector<std::int64_t> positions(const std::vector<evercore::RecordedEvent>& events) {
  std::vector<std::int64_t> positions;
  for (const auto& event : events) positions.push_back(event.position);
  return positions;
}

}  // namespace

TEST_CASE("an event bears the tags that it was applied with") {
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 2);
  fresh->with_context([](Context& ctx) {
    auto student = ctx.create<StudentAggregate>("s1");
    student.apply(StudentSubscribed{"c1"},
                  {.reference = "web", .tags = {"student:s1", "course:c1", "q\"\\"}});
    student.apply(StudentLeft{"c1"});
  });
  const auto events = fresh->follow(0);
  REQUIRE(events.size() == 3);
  CHECK(events[0].tags == std::vector<std::string>{"course:c1"});
  CHECK(events[1].tags == std::vector<std::string>{"student:s1", "course:c1", "q\"\\"});
  CHECK(events[1].reference == "web");
  CHECK(events[2].tags.empty());
}

TEST_CASE("a query gives the events that match an item of it, by types and tags") {
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 2);
  open_course(fresh.store, "c2", 2);
  fresh->with_context([](Context& ctx) { subscribe(ctx, "s1", "c1"); });
  fresh->with_context([](Context& ctx) { subscribe(ctx, "s1", "c2"); });
  fresh->with_readonly_context([&](evercore::ReadonlyContext& ctx) {
    const auto log = ctx.query({});
    REQUIRE(log.size() == 4);
    CHECK(positions(ctx.query({{.tags = {"course:c1"}}})) ==
          std::vector{log[0].position, log[2].position});
    CHECK(positions(ctx.query({{.types = {"StudentSubscribed"}, .tags = {"course:c1"}}})) ==
          std::vector{log[2].position});
    CHECK(positions(
              ctx.query({{.types = {"CourseOpened"}}, {.tags = {"student:s1", "course:c2"}}})) ==
          std::vector{log[0].position, log[1].position, log[3].position});
    CHECK(ctx.query({{.tags = {"nobody"}}}).empty());
    CHECK(
        ctx.decide<CourseSeats, CourseOpened, StudentSubscribed>({{.tags = {"course:c2"}}}).taken ==
        1);
    // … also where the context has read from its snapshot.
    CHECK(ctx.load<StudentAggregate>("s1")->courses == 2);
    CHECK(ctx.query({{.tags = {"student:s1"}}}).size() == 2);
  });
}

TEST_CASE("a decision keeps its rule: the course takes no more students than it has seats") {
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 2);
  for (const char* student : {"s1", "s2"}) {
    fresh->with_context([&](Context& ctx) { subscribe(ctx, student, "c1"); });
  }
  CHECK_THROWS_AS(fresh->with_context([](Context& ctx) { subscribe(ctx, "s3", "c1"); }),
                  evercore::refused_error);
  fresh->with_context([](Context& ctx) {
    auto student = ctx.load<StudentAggregate>("s1");
    student.apply(StudentLeft{"c1"}, {.tags = {"course:c1", "student:s1"}});
  });
  fresh->with_context([](Context& ctx) { subscribe(ctx, "s3", "c1"); });
  fresh->with_context([](Context& ctx) { CHECK(seats_of(ctx, "c1").taken == 2); });
}

TEST_CASE("an event that matches and came after the query is a conflict, and nothing is written") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;  // one connection: nobody comes between
  open_course(fresh.store, "c1", 1);
  const auto late = [&] {
    fresh->with_context([&](Context& ctx) {
      CHECK(seats_of(ctx, "c1").taken == 0);
      fresh->with_context([](Context& other) { subscribe(other, "s1", "c1"); });
      ctx.publish("Student", "s2",
                  {"StudentSubscribed", R"({"course":"c1"})", {.tags = {"course:c1"}}});
    });
  };
  CHECK_THROWS_WITH_AS(late(), "EV001: conflict: event 2 (StudentSubscribed) matches the condition",
                       evercore::conflict_error);
  CHECK(fresh->follow(0).size() == 2);
  // … one that does not match is none
  fresh->with_context([&](Context& ctx) {
    CHECK(seats_of(ctx, "c1").taken == 1);
    fresh->with_context([](Context& other) {
      other.publish("Student", "s9",
                    {"StudentSubscribed", R"({"course":"c9"})", {.tags = {"course:c9"}}});
    });
    ctx.publish("Student", "s2", {"StudentLeft", R"({"course":"c1"})", {.tags = {"course:c1"}}});
  });
  CHECK(fresh->follow(0).size() == 4);
}

TEST_CASE("every query of a context is a condition, each from where it was read") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;
  open_course(fresh.store, "c1", 9);
  open_course(fresh.store, "c2", 9);
  for (const std::string moved : {"c1", "c2"}) {
    CAPTURE(moved);
    const auto both = [&] {
      fresh->with_context([&](Context& ctx) {
        seats_of(ctx, "c1");
        seats_of(ctx, "c2");
        fresh->with_context([&](Context& other) { subscribe(other, "s1", moved); });
        ctx.publish("Note", "n", {"Noted", "{}"});
      });
    };
    CHECK_THROWS_AS(both(), evercore::conflict_error);
  }
  // More than one call of the store takes.
  const auto many = [&](bool disturbed) {
    fresh->with_context([&](Context& ctx) {
      for (int i = 0; i < 250; ++i) ctx.query({{.tags = {"course:c" + std::to_string(i)}}});
      if (disturbed) fresh->with_context([](Context& other) { subscribe(other, "s2", "c2"); });
      ctx.publish("Note", "n", {"Noted", "{}"});
    });
  };
  CHECK_THROWS_AS(many(true), evercore::conflict_error);
  many(false);
}

TEST_CASE("a context that writes nothing conflicts with nobody") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;
  open_course(fresh.store, "c1", 1);
  fresh->with_context([&](Context& ctx) {
    seats_of(ctx, "c1");
    fresh->with_context([](Context& other) { subscribe(other, "s1", "c1"); });
  });
}

TEST_CASE("a snapshot that is saved is a write too: it is not saved over a conflict") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;
  open_course(fresh.store, "c1", 1);
  fresh->with_context([](Context& ctx) { subscribe(ctx, "s1", "c1"); });
  const auto saving = [&] {
    fresh->with_context([&](Context& ctx) {
      seats_of(ctx, "c1");
      const auto student = ctx.load<StudentAggregate>("s1");
      fresh->with_context([](Context& other) {
        other.publish("Student", "s1",
                      {"StudentLeft", R"({"course":"c1"})", {.tags = {"course:c1"}}});
      });
      ctx.save_snapshot(student);
    });
  };
  CHECK_THROWS_AS(saving(), evercore::conflict_error);
}

TEST_CASE("contexts that hold every connection can still ask: none waits for another") {
  if (!harness::on_postgres()) return;  // elsewhere a query reads the context's own snapshot
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 1);
  std::string uri = fresh.place.uri();
  constexpr int contexts = 3;
  uri.replace(uri.find("pool_size=16"), 12, "pool_size=" + std::to_string(contexts));
  auto small = evercore::connect(uri);
  std::barrier all_have_loaded(contexts);
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < contexts; ++t) {
    threads.emplace_back([&] {
      small.with_readonly_context([&](evercore::ReadonlyContext& ctx) {
        ctx.load<CourseAggregate>("c1");
        all_have_loaded.arrive_and_wait();
        answered += static_cast<int>(ctx.query({{.tags = {"course:c1"}}}).size());
      });
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answered == contexts);
}

TEST_CASE("with_retry decides again until the rule says no: threads never overfill a course") {
  harness::Fresh fresh;
  constexpr int seats = 5, threads = 4, each = 4;
  open_course(fresh.store, "c1", seats);
  std::atomic<int> admitted{0}, refused{0};
  std::vector<std::thread> racers;
  for (int t = 0; t < threads; ++t) {
    racers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const std::string student = "s" + std::to_string(t) + "_" + std::to_string(i);
        try {
          fresh->with_retry([&](Context& ctx) { subscribe(ctx, student, "c1"); });
          ++admitted;
        } catch (const evercore::refused_error&) {
          ++refused;
        }
      }
    });
  }
  for (auto& racer : racers) racer.join();
  CHECK(admitted == seats);
  CHECK(refused == threads * each - seats);
  fresh->with_context([&](Context& ctx) { CHECK(seats_of(ctx, "c1").taken == admitted); });
  CHECK(fresh->check().empty());
}

TEST_CASE("a repeat by event_id passes the condition it once passed") {
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 1);
  const auto once = [&] {
    fresh->with_context([&](Context& ctx) {
      ctx.query({{.types = {"StudentSubscribed"}, .tags = {"course:c1"}}});
      ctx.publish(
          "Student", "s1",
          {"StudentSubscribed", R"({"course":"c1"})", {.event_id = "e-1", .tags = {"course:c1"}}});
    });
  };
  once();
  once();
  CHECK(fresh->follow(0).size() == 2);
}

TEST_CASE("a query by type alone needs the index by type where something depends on it") {
  harness::Fresh fresh;
  open_course(fresh.store, "c1", 1);
  const auto by_type = [&] {
    fresh->with_context([&](Context& ctx) {
      ctx.query({{.types = {"CourseOpened"}}});
      ctx.publish("Note", "n", {"Noted", "{}"});
    });
  };
  CHECK_THROWS_WITH_AS(
      by_type(),
      "EV010: a condition without tags needs the index by type: SELECT evercore_index_types()",
      evercore::safety_error);
  fresh->with_context([&](Context& ctx) {
    ctx.execute("SELECT " + fresh.place.relation("evercore_index_types()"));
  });
  by_type();
  const auto by_all = [&](bool disturbed) {
    fresh->with_context([&](Context& ctx) {
      ctx.query({});
      if (disturbed && !harness::on_memory()) {
        fresh->with_context([](Context& other) { other.publish("Note", "m", {"Noted", "{}"}); });
      }
      ctx.publish("Note", "n", {"Noted", "{}"});
    });
  };
  by_all(false);
  if (!harness::on_memory()) CHECK_THROWS_AS(by_all(true), evercore::conflict_error);
}

TEST_CASE("queries and tags that cannot be say why") {
  harness::Fresh fresh;
  const auto fault = [&](const Query& query) {
    return fault_of([&] {
      fresh->with_readonly_context([&](evercore::ReadonlyContext& ctx) { ctx.query(query); });
    });
  };
  CHECK(fault({{}}) == "EV009: query: /0: empty");
  CHECK(fault({{.tags = {""}}}) == "EV005: tag is empty");
  const auto tag = [&](std::vector<std::string> tags) {
    return fault_of([&] {
      fresh->with_context([&](Context& ctx) {
        ctx.publish("Note", "n", {"Noted", "{}", {.tags = tags}});
      });
    });
  };
  CHECK(tag({""}) == "EV005: tag is empty");
  CHECK(tag({std::string(256, 'x')}) == "EV005: tag is longer than 255 characters");
  CHECK(tag({"a", "b"}) == "none");
}
