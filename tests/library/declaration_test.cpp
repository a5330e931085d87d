// What the store declares in another way than the program: it stays, warmup() tells, and declare() with
// replace changes it.
#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <thread>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::Context;
using harness::fault_of;

namespace {

struct Deposited {
  std::int64_t amount = 0;
};
struct Withdrawn {
  std::int64_t amount = 0;
};
struct Account {
  std::int64_t balance = 0;
  void apply(const Deposited& event) { balance += event.amount; }
  void apply(const Withdrawn& event) { balance -= event.amount; }
};
using AccountAggregate = evercore::StateAggregate<Account, Deposited, Withdrawn>;

// The same as a newer program has it, which hands its events over to SQL and says what their data are.
namespace newer {
struct Deposited {
  std::int64_t amount = 0;
  std::string from;
  static constexpr std::string_view declared_tags[][2] = {{"from", "from"}};
  static constexpr std::string_view schema() { return evercore::schema_of<Deposited>(); }
};
struct Withdrawn {
  std::int64_t amount = 0;
  static constexpr std::string_view schema() {
    return R"({"properties":{"amount":{"type":"integer","minimum":1}}})";
  }
};
struct Account {
  std::int64_t balance = 0;
  void apply(const Deposited& event) { balance += event.amount; }
  static constexpr std::string_view fold_rules(const Deposited&) {
    return R"([{"add":{"/balance":"/amount"}}])";
  }
  void apply(const Withdrawn& event) { balance -= event.amount; }
  static constexpr std::string_view fold_rules(const Withdrawn&) {
    return R"([{"subtract":{"/balance":"/amount"}}])";
  }
};
using AccountAggregate = evercore::StateAggregate<Account, Deposited, Withdrawn>;

struct Opened {
  std::string town;
  static constexpr std::string_view declared_tags[][2] = {{"town", "town"}};
  static constexpr std::string_view schema() { return evercore::schema_of<Opened>(); }
};
struct Branch {
  std::string town;
};
}  // namespace newer

// And as one that says other things than that.
namespace newest {
struct Deposited {
  std::int64_t amount = 0;
  static constexpr std::string_view declared_tags[][2] = {{"amount", "amount"}};
  static constexpr std::string_view schema() { return evercore::schema_of<Deposited>(); }
};
struct Account {
  std::int64_t balance = 0;
  void apply(const Deposited& event) { balance = event.amount; }
  static constexpr std::string_view fold_rules(const Deposited&) {
    return R"([{"set":{"/balance":"/amount"}}])";
  }
};
using AccountAggregate = evercore::StateAggregate<Account, Deposited>;
}  // namespace newest

std::string one(harness::Fresh& fresh, const std::string& sql) {
  std::string text;
  auto sink = [&](const evercore::Row& row) { text = row.text(0); };
  fresh->with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
  return text;
}

std::string call(harness::Fresh& fresh, const std::string& arguments) {
  return one(fresh,
             "SELECT " + fresh.place.relation("evercore_event_type") + "(" + arguments + ")");
}

// All that the store declares of event types.
std::string declared(harness::Fresh& fresh) {
  std::string text;
  const std::string sql =
      "SELECT event_type, fold, coalesce(CAST(tags AS text), '-'), coalesce(CAST(schema AS text),"
      " '-') FROM " +
      fresh.place.relation("evercore_event_types") + " ORDER BY event_type";
  auto sink = [&](const evercore::Row& row) {
    for (int column = 0; column < 4; ++column) text.append(row.text(column)).append("\n");
  };
  fresh->with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
  return text;
}

std::int64_t deposit(evercore::EventStore& store, std::int64_t amount) {
  return store.with_context([&](Context& ctx) {
    auto account = ctx.load_or_create<newer::AccountAggregate>("a");
    account.apply(newer::Deposited{amount, "ann"});
    return account.id();
  });
}

// Two withdrawals of another account; their events bear no tags, so that they can be compacted.
std::int64_t withdraw_and_compact(harness::Fresh& fresh) {
  const auto id = fresh->with_context([](Context& ctx) {
    auto account = ctx.create<newer::AccountAggregate>("w");
    account.apply(newer::Withdrawn{30});
    account.apply(newer::Withdrawn{12});
    return account.id();
  });
  one(fresh, "SELECT CAST(" + fresh.place.relation("evercore_compact") + "(" + std::to_string(id) +
                 ", 0) AS text)");
  return id;
}

// An engine beside which somebody does something when it is about to write for the first time.
class Overtaken final : public evercore::StorageEngine {
 public:
  Overtaken(evercore::EventStore real, std::function<void()> meanwhile)
      : real_(std::move(real)), meanwhile_(std::move(meanwhile)) {}
  std::string_view name() const noexcept override { return real_.engine().name(); }
  evercore::SessionHandle session() override { return real_.engine().session(); }
  void write(evercore::SessionHandle session,
             std::span<const evercore::Command> commands) override {
    if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    real_.engine().write(std::move(session), commands);
  }

 protected:
  void give_back(evercore::Session*) noexcept override {}  // none is its own

 private:
  evercore::EventStore real_;
  std::function<void()> meanwhile_;
};

evercore::EventStore overtaken(harness::Fresh& fresh, std::function<void()> meanwhile) {
  return evercore::EventStore(
      std::make_shared<Overtaken>(harness::another_program(fresh.store), std::move(meanwhile)));
}

std::string state_of(harness::Fresh& fresh, std::int64_t id) {
  return fresh->with_readonly_context(
      [&](evercore::ReadonlyContext& ctx) { return ctx.state(id); });
}

std::string fold_of(harness::Fresh& fresh, const std::string& type) {
  return one(fresh, "SELECT fold FROM " + fresh.place.relation("evercore_event_types") +
                        " WHERE event_type = '" + type + "'");
}

}  // namespace

TEST_CASE("rules that the store declares stay where a program folds the event itself") {
  harness::Fresh fresh;
  const std::string rules = R"([{"add":{"/balance":"/amount"}}])";
  call(fresh, "'Deposited', '" + rules + "'");
  const auto id = fresh->with_context([](Context& ctx) {
    auto account = ctx.load_or_create<AccountAggregate>("a");
    account.apply(Deposited{30});
    account.apply(Deposited{12});
    return account.id();
  });
  CHECK(fold_of(fresh, "Deposited") == rules);
  CHECK(fold_of(fresh, "Withdrawn") == "custom");
  CHECK(one(fresh, "SELECT CAST(" + fresh.place.relation("evercore_state") + "(" +
                       std::to_string(id) + ") AS text)")
            .find("42") != std::string::npos);
}

TEST_CASE("a warmup tells what the store folds in another way, and declares the rest") {
  harness::Fresh fresh;
  call(fresh, "'Deposited', 'patch'");
  for (int i = 0; i < 2; ++i) {
    CHECK(fault_of<evercore::declaration_error>([&] { fresh->warmup<AccountAggregate>(); }) ==
          "event type \"Deposited\" folds by patch in the store, and by custom here");
  }
  CHECK(fold_of(fresh, "Deposited") == "patch");
  CHECK(fold_of(fresh, "Withdrawn") == "custom");
  call(fresh, "'Deposited', 'custom'");
  fresh->warmup<AccountAggregate>();
}

TEST_CASE(
    "a state hands custom events over by rules, so that SQL's states and snapshots see them") {
  harness::Fresh fresh;
  deposit(fresh.store, 30);
  const auto id = deposit(fresh.store, 12);
  CHECK(fold_of(fresh, "Deposited") == R"([{"add":{"/balance":"/amount"}}])");
  CHECK(evercore::decode<newer::Account>(state_of(fresh, id)).balance == 42);
  const auto compacted = withdraw_and_compact(fresh);
  CHECK(evercore::decode<newer::Account>(state_of(fresh, compacted)).balance == -42);
  fresh->with_readonly_context([](evercore::ReadonlyContext& ctx) {
    const auto account = ctx.load<newer::AccountAggregate>("w");
    CHECK(account->balance == -42);
    CHECK(account.sequence() == 2);
    CHECK(ctx.events(account.id()).empty());
  });
  CHECK(fresh->check().empty());
}

TEST_CASE("an event declares a schema where its struct says so, made of the struct or by hand") {
  harness::Fresh fresh;
  fresh->warmup<newer::AccountAggregate>();
  CHECK(declared(fresh) ==
        R"(Deposited
[{"add":{"/balance":"/amount"}}]
{"from":"/from"}
)" + std::string(evercore::schema_of<newer::Deposited>()) +
            R"(
Withdrawn
[{"subtract":{"/balance":"/amount"}}]
-
{"properties":{"amount":{"type":"integer","minimum":1}}}
)");
  deposit(fresh.store, 5);
  CHECK(fault_of<evercore::schema_error>([&] {
          fresh->with_context([](Context& ctx) {
            ctx.load<newer::AccountAggregate>("a").apply(newer::Withdrawn{0});
          });
        }) == "EV011: data of \"Withdrawn\": /amount: minimum");
  CHECK(fault_of<evercore::schema_error>([&] {
          fresh->with_context([](Context& ctx) {
            ctx.publish("Account", "a", {"Deposited", R"({"amount":1})"});
          });
        }) == "EV011: data of \"Deposited\": : required");
}

TEST_CASE("two versions of a program beside each other change nothing of each other's") {
  harness::Fresh fresh;
  evercore::EventStore old = harness::another_program(fresh.store);
  fresh->warmup<newer::AccountAggregate>();
  const std::string before = declared(fresh);
  // The older says nothing of tags and schemas, and folds by itself.
  CHECK(
      fault_of<evercore::declaration_error>([&] { old.warmup<AccountAggregate>(); }) ==
      R"(event type "Deposited" folds by [{"add":{"/balance":"/amount"}}] in the store, and by custom here; )"
      R"(event type "Withdrawn" folds by [{"subtract":{"/balance":"/amount"}}] in the store, and by custom here)");
  // The newest says all of it otherwise.
  evercore::EventStore newest = harness::another_program(fresh.store);
  const std::string told =
      fault_of<evercore::declaration_error>([&] { newest.warmup<newest::AccountAggregate>(); });
  CHECK(told.find(R"(folds by [{"add":{"/balance":"/amount"}}] in the store, and by [{"set":)") !=
        std::string::npos);
  CHECK(told.find(R"(has the tags {"from":"/from"} in the store, and {"amount":"/amount"} here)") !=
        std::string::npos);
  CHECK(told.find(R"(has the schema {"type":"object")") != std::string::npos);
  newest.with_context([](Context& ctx) {
    auto account = ctx.create<newest::AccountAggregate>("n");
    ctx.publish(account.id(), {"Deposited", R"({"amount":7,"from":"bob"})"});
  });
  CHECK(declared(fresh) == before);
  deposit(fresh.store, 1);
  CHECK(fresh->check().empty());
}

TEST_CASE("of two programs that first start at one moment the later one changes nothing") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;  // one program alone
  evercore::EventStore first = harness::another_program(fresh.store);
  evercore::EventStore later = overtaken(fresh, [&] { first.warmup<newer::AccountAggregate>(); });
  const std::string told =
      fault_of<evercore::declaration_error>([&] { later.warmup<newest::AccountAggregate>(); });
  CHECK(told.find(R"(folds by [{"add":{"/balance":"/amount"}}] in the store)") !=
        std::string::npos);
  CHECK(told.find(R"(has the tags {"from":"/from"} in the store)") != std::string::npos);
  CHECK(told.find(R"(has the schema {"type":"object")") != std::string::npos);
  harness::Fresh alone;
  alone->warmup<newer::AccountAggregate>();
  CHECK(declared(fresh) == declared(alone));
}

TEST_CASE("what one part of a type another declares meanwhile stays, and the rest is declared") {
  for (const char* part : {R"('Deposited', 'patch')", R"('Deposited', NULL, '{"tags":{"x":"/x"}}')",
                           R"('Deposited', NULL, '{"schema":true}')"}) {
    harness::Fresh fresh;
    if (harness::on_memory()) return;
    evercore::EventStore later = overtaken(fresh, [&] { call(fresh, part); });
    const std::string told =
        fault_of<evercore::declaration_error>([&] { later.warmup<newer::AccountAggregate>(); });
    CHECK(told.find(';') == std::string::npos);
    const std::string all = declared(fresh);
    const auto stands = [&](const std::string& text) {
      return all.find(text) != std::string::npos;
    };
    CHECK(stands("patch") != stands(R"([{"add":{"/balance":"/amount"}}])"));
    CHECK(stands(R"({"x":"/x"})") != stands(R"({"from":"/from"})"));
    CHECK(stands("\ntrue\n") != stands(std::string(newer::Deposited::schema())));
  }
}

TEST_CASE("who declares what another is about to declare waits for him") {
  harness::Fresh fresh;
  if (harness::on_memory()) return;
  std::promise<void> declares;
  std::thread first([&] {
    fresh->with_context([&](Context& ctx) {
      ctx.execute(
          "SELECT " + fresh.place.relation("evercore_event_type") + "('Deposited', 'patch')", {},
          {});
      declares.set_value();
      if (!harness::on_postgres()) return;
      // On SQLite nobody can be seen waiting.
      evercore::EventStore observer = evercore::connect(fresh.place.uri());
      for (bool waits = false; !waits;) {
        auto sink = [&](const evercore::Row& row) { waits = row.integer(0) > 0; };
        observer.with_context([&](Context& watch) {
          watch.execute(
              "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
              "'evercore.evercore_aggregate'::regclass",
              {}, sink);
        });
      }
    });
  });
  evercore::EventStore later = overtaken(fresh, [&] { declares.get_future().wait(); });
  evercore::EventStore& program = later;
  std::thread second([&] {
    CHECK(fault_of<evercore::declaration_error>([&] {
            program.warmup<newer::AccountAggregate>();
          }) == R"(event type "Deposited" folds by patch in the store, and by )"
                R"([{"add":{"/balance":"/amount"}}] here)");
  });
  first.join();
  second.join();
  CHECK(fold_of(fresh, "Deposited") == "patch");
}

TEST_CASE("a merge that was declared stays, and one that nobody declared does not") {
  harness::Fresh fresh;
  call(fresh, "'Deposited', 'merge'");
  call(fresh, R"('Withdrawn', NULL, '{"schema":true}')");
  CHECK(fault_of<evercore::declaration_error>([&] {
          fresh->warmup<newer::AccountAggregate>();
        }).starts_with(R"(event type "Deposited" folds by merge in the store, and by [{"add":)"));
  CHECK(fold_of(fresh, "Deposited") == "merge");
  CHECK(fold_of(fresh, "Withdrawn") == R"([{"subtract":{"/balance":"/amount"}}])");
  fresh->declare<newer::AccountAggregate>(evercore::replace);
  fresh->warmup<newer::AccountAggregate>();
  CHECK(fold_of(fresh, "Deposited") == R"([{"add":{"/balance":"/amount"}}])");
}

TEST_CASE(
    "a declaration with replace takes the place of the store's, and what a type does not say "
    "stays") {
  harness::Fresh fresh;
  const auto id = deposit(fresh.store, 30);
  deposit(fresh.store, 12);
  evercore::EventStore newest = harness::another_program(fresh.store);
  newest.declare<newest::AccountAggregate>(evercore::replace);
  newest.warmup<newest::AccountAggregate>();
  CHECK(fold_of(fresh, "Deposited") == R"([{"set":{"/balance":"/amount"}}])");
  CHECK(evercore::decode<newest::Account>(state_of(fresh, id)).balance == 12);
  CHECK(declared(fresh).find(std::string(newest::Deposited::schema())) != std::string::npos);
  CHECK(declared(fresh).find(R"({"amount":"/amount"})") != std::string::npos);
  CHECK(fold_of(fresh, "Withdrawn") == R"([{"subtract":{"/balance":"/amount"}}])");
  const std::string before = declared(fresh);
  evercore::EventStore old = harness::another_program(fresh.store);
  old.declare(evercore::Registry<AccountAggregate>{}, evercore::replace);
  CHECK(fold_of(fresh, "Deposited") == "custom");
  CHECK(declared(fresh).find(std::string(newest::Deposited::schema())) != std::string::npos);
  CHECK(fresh->check().empty());
}

TEST_CASE(
    "a declaration with replace is all or nothing, and refused where compaction stands on the "
    "old") {
  harness::Fresh fresh;
  deposit(fresh.store, 30);
  withdraw_and_compact(fresh);
  const std::string before = declared(fresh);
  CHECK(fault_of<evercore::safety_error>([&] {
          harness::another_program(fresh.store).declare<AccountAggregate>(evercore::replace);
        }).starts_with("EV010: event type \"Withdrawn\""));
  CHECK(declared(fresh) == before);
}

TEST_CASE("several types are declared in place of the store's in one go") {
  harness::Fresh fresh;
  call(fresh, R"('Deposited', 'patch', '{"tags":{"x":"/x"},"schema":true}')");
  call(fresh, R"('Withdrawn', 'patch', '{"schema":true}')");
  call(fresh, R"('Opened', 'custom', '{"tags":{"x":"/x"},"schema":true}')");
  using Branch = evercore::StateAggregate<newer::Branch, newer::Opened>;
  fresh->declare<newer::AccountAggregate, Branch>(evercore::replace);
  fresh->warmup<newer::AccountAggregate, Branch>();
  CHECK(fold_of(fresh, "Opened") == "merge");
  CHECK(declared(fresh).find("true") == std::string::npos);
  CHECK(declared(fresh).find(R"({"town":"/town"})") != std::string::npos);
}

TEST_CASE("another spelling of the same rules, tags and schema is no difference") {
  harness::Fresh fresh;
  call(
      fresh, R"('Deposited', ' [ {"add" : {"\u002fbalance":"/amount"} } ]', ')"
             R"({"tags": { "from" : "/from" }, "schema":)" +
                 [] {
                   std::string spaced;
                   for (char c : newer::Deposited::schema())
                     spaced.append(1, c).append(c == ',' ? " " : "");
                   return spaced;
                 }() +
                 "}'");
  const std::string before = declared(fresh);
  fresh->warmup<newer::AccountAggregate>();
  CHECK(declared(fresh).starts_with(before));
}

TEST_CASE("who may not declare a schema is told what the owner should run") {
  if (!harness::on_postgres()) return;
  harness::Fresh fresh;
  auto writer =
      evercore::connect(fresh.place.uri() + "&migrate=off&options=-crole%3Devercore_writer");
  const std::string told = fault_of([&] { writer.warmup<newer::AccountAggregate>(); });
  CHECK(told.starts_with("42501: permission denied to declare"));
  CHECK(told.find("let the owner of the store run SELECT evercore.evercore_event_type('Deposited', "
                  R"('[{"add":{"/balance":"/amount"}}]', '{"tags":{"from":"/from"},"schema":{)") !=
        std::string::npos);
  fresh->warmup<newer::AccountAggregate>();
  writer.warmup<newer::AccountAggregate>();
  evercore::EventStore other = harness::another_program(writer);
  CHECK(fault_of([&] {
          other.declare<newest::AccountAggregate>(evercore::replace);
        }).starts_with("42501"));
  deposit(writer, 3);
}
