// EV011 as an exception: what was refused, where, and by which keyword.
#include <doctest/doctest.h>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::schema_error;

TEST_CASE("a schema_error of data names the event type, the place and the keyword") {
  const schema_error fault(R"(EV011: data of "Deposited": /amount: minimum)");
  CHECK(fault.code() == "EV011");
  CHECK_FALSE(fault.retryable());
  CHECK(fault.event_type() == "Deposited");
  CHECK(fault.pointer() == "/amount");
  CHECK(fault.keyword() == "minimum");
  CHECK(fault.aggregate_type().empty());
  CHECK_FALSE(fault.natural_key());
  CHECK(fault.aggregate_id() == 0);
  CHECK(fault.sequence() == 0);
}

TEST_CASE("a schema_error of the whole data has an empty pointer") {
  const schema_error fault(R"(EV011: data of "Closed": : false)");
  CHECK(fault.event_type() == "Closed");
  CHECK(fault.pointer().empty());
  CHECK(fault.keyword() == "false");
  CHECK(schema_error(R"(EV011: data of "Deep": /a: too complex)").keyword() == "too complex");
}

TEST_CASE("a schema_error of a state names the aggregate by its key or its id, and the sequence") {
  const schema_error keyed(R"(EV011: state of "Account" "A-1" at sequence 7: /balance: minimum)");
  CHECK(keyed.aggregate_type() == "Account");
  CHECK(keyed.natural_key() == "A-1");
  CHECK(keyed.aggregate_id() == 0);
  CHECK(keyed.sequence() == 7);
  CHECK(keyed.pointer() == "/balance");
  CHECK(keyed.keyword() == "minimum");
  CHECK(keyed.event_type().empty());
  const schema_error keyless(R"(EV011: state of "Account" 12 at sequence 3: : required)");
  CHECK(keyless.aggregate_type() == "Account");
  CHECK_FALSE(keyless.natural_key());
  CHECK(keyless.aggregate_id() == 12);
  CHECK(keyless.sequence() == 3);
  CHECK(keyless.pointer().empty());
  CHECK(keyless.keyword() == "required");
}

TEST_CASE("names, keys and pointers of a schema_error hold any text") {
  const schema_error data("EV011: data of \"it's \"so\": or: so\": /a: b\n\": /c: type");
  CHECK(data.event_type() == "it's \"so\": or: so");
  CHECK(data.pointer() == "/a: b\n\": /c");
  CHECK(data.keyword() == "type");
  const schema_error state(
      R"(EV011: state of "the "A"" "k" "l" at sequence 2" at sequence 9: / at sequence 3: /x: enum)");
  CHECK(state.aggregate_type() == R"(the "A")");
  CHECK(state.natural_key() == R"(k" "l" at sequence 2)");
  CHECK(state.sequence() == 9);
  CHECK(state.pointer() == "/ at sequence 3: /x");
}

TEST_CASE("a schema_error whose message says something else leaves empty what it does not say") {
  for (const char* message :
       {"EV011: other", "EV011", "EV011: data of \"x", "EV011: a: type",
        "EV011: state of \"A\": : type", "EV011: state of 5 at sequence 9: : type"}) {
    const schema_error fault(message);
    CHECK(fault.event_type().empty());
    CHECK(fault.aggregate_type().empty());
    CHECK(fault.pointer().empty());
  }
}

TEST_CASE("data that the store's schema does not take are a schema_error, and nothing is written") {
  struct Deposited {
    std::int64_t amount = 0;
  };
  struct Account {
    std::int64_t balance = 0;
    void apply(const Deposited& event) { balance += event.amount; }
  };
  using AccountAggregate = evercore::StateAggregate<Account, Deposited>;
  harness::Fresh fresh;
  fresh->with_context([&](evercore::Context& ctx) {
    ctx.execute("SELECT " + fresh.place.relation("evercore_event_type") + "('Deposited', NULL, '" +
                    R"({"schema":{"properties":{"amount":{"minimum":1}}}}'))",
                {});
  });
  // One event goes by another call than several do, and by an INSERT there are rows.
  for (const int amounts : {1, 2}) {
    try {
      fresh->with_context([&](evercore::Context& ctx) {
        auto account = ctx.load_or_create<AccountAggregate>("a");
        for (int i = 1; i <= amounts; ++i) account.apply(Deposited{amounts - i});
      });
      FAIL("nothing was refused");
    } catch (const schema_error& fault) {
      CHECK(fault.event_type() == "Deposited");
      CHECK(fault.pointer() == "/amount");
      CHECK(fault.keyword() == "minimum");
    }
  }
  try {
    fresh->with_context([&](evercore::Context& ctx) {
      ctx.execute("INSERT INTO " + fresh.place.relation("evercore_append") +
                      " (aggregate_type, natural_key, event_type, data) VALUES"
                      " ('Account', 'a', 'Deposited', '{\"amount\":1}'),"
                      " ('Account', 'a', 'Deposited', '{\"amount\":0}')",
                  {});
    });
    FAIL("nothing was refused");
  } catch (const schema_error& fault) {
    CHECK(fault.keyword() == "minimum");
  }
  CHECK(fresh->follow(0).empty());
}
