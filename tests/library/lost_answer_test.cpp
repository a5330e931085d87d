// A server process that dies in the middle of a commit: nobody knows whether the write was kept, and who asked for it
// is told so.
#include <doctest/doctest.h>

#include <string>

#include "harness.h"
#include "runners.h"

using namespace evercore;

namespace {

// From now on whoever appends such an event dies: at its INSERT, or where that is deferred at the commit.
void make_deadly(harness::Fresh& fresh, const std::string& type, const std::string& when) {
  fresh->with_context([&](Context& ctx) {
    ctx.execute("CREATE FUNCTION die_" + type +
                "() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
    ctx.execute("CREATE CONSTRAINT TRIGGER die_" + type + " AFTER INSERT ON " +
                fresh.place.relation("evercore_event") + " DEFERRABLE INITIALLY " + when +
                " FOR EACH ROW WHEN (NEW.event_type = '" + type + "') EXECUTE FUNCTION die_" +
                type + "()");
  });
}

// What is said of a context that appends two events, the second of that type.
std::string fault_of(EventStore& store, const std::string& type) {
  try {
    store.with_context([&](Context& ctx) {
      ctx.publish("Thing", "a", {"Made", "{}"});
      ctx.execute("SELECT 1");
      ctx.publish("Thing", "a", {type, "{}"});
    });
  } catch (const connection_error& fault) {
    return fault.may_have_written() ? "may have written" : "has not written";
  }
  return "none";
}

}  // namespace

TEST_CASE("of a commit whose answer was lost nobody says that it was not written") {
  if (!harness::on_postgres()) return;
  harness::Fresh fresh;
  make_deadly(fresh, "Late", "DEFERRED");
  CHECK(fault_of(fresh.store, "Late") == "may have written");
  CHECK(fresh->follow(0).empty());
  CHECK_NOTHROW(runners::append(fresh.store, "a", "Made"));
  CHECK(fresh->follow(0).size() == 1);
}
