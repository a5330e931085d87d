// Subscriptions: what happens in the store, event by event, handed to a function of the program.
//
//   std::jthread mailer([&](std::stop_token stop) {
//     store.run_subscription(
//         "welcome-mails", {.event_types = {"UserCreated"}}, evercore::Start::end(),
//         {.stop = stop}, [&](const evercore::RecordedEvent& event) { send_mail(event); });
//   });
//
// A durable subscription is a row in the store: its cursor outlives the program, and runners in as
// many programs as one likes share its partitions, each under a lease. The handler may be
//
//   void(const RecordedEvent&)                       at least once: a program that dies between the
//   void(std::span<const RecordedEvent>)             effect and the ack has the same events again
//
//   void(Context&, const RecordedEvent&)             exactly once: what it stages and what it
//   void(Context&, std::span<const RecordedEvent>)   executes is committed with the cursor, or not
//
// and is called in the order of positions of the events of its partition, never by two runners at
// once for the same partition while leases are kept. It is called on the thread that called
// run_subscription(). What it is given lives until it returns: copy an event that is to be kept.
//
// A handler without a Context may see an event twice: let that do no harm, as by noting the event's
// position with the effect. One that takes a Context shares it with the events before it in the
// batch: when it throws, what they staged is taken back too, and they are handled again first.
//
//   store.run_subscription(
//       "balances", {.event_types = {"Deposited"}}, evercore::Start::beginning(), {.stop = stop},
//       [](evercore::Context& ctx, const evercore::RecordedEvent& event) {
//         const auto deposited = evercore::decode_event<Deposited>(event);
//         ctx.execute("UPDATE balance SET cents = cents + $2 WHERE account = $1",
//                     {event.aggregate_id, deposited->cents});
//       });
//
// How soon a runner sees an event: at once, when it was appended through the same EventStore or a
// copy of it; within milliseconds, when another program wrote it to the same SQLite file, or
// through this library to the same PostgreSQL store; else, such as for plain SQL sent to PostgreSQL
// by others, or behind a transaction-pooling proxy, at the next poll.
#ifndef EVERCORE_SUBSCRIPTION_H
#define EVERCORE_SUBSCRIPTION_H

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "evercore/context.h"
#include "evercore/detail/language.h"
#include "evercore/event.h"

namespace evercore {

// Which events a subscription is about: all that fit every part that is given. Names are those in
// the store; an event type need not be there yet. A durable subscription keeps the filter in its
// row; a run with another one changes it for all runners of that name, from the next fetch on.
struct Filter {
  std::string aggregate_type{};            // empty: any
  std::string natural_key{};               // empty: any; else aggregate_type must be given too
  std::vector<std::string> event_types{};  // one of these; empty: any
  std::vector<std::string> tags{};         // all of these; empty: any
};

// Where a subscription begins. For a durable one it is looked at once, when the subscription is
// made; one that exists goes on where it stands. An ephemeral one begins there at each run.
class Start {
 public:
  // With the first event of the store.
  static Start beginning() { return Start("beginning"); }
  // After everything that is in the store when the run begins.
  static Start end() { return Start("end"); }
  // After the event of that position: 0 is the beginning. One that is negative, or beyond the
  // newest that the store ever gave, is an argument_error of the run.
  static Start after(std::int64_t position) { return Start(std::to_string(position)); }
  // Before the first event whose event_time is at that time or later; what comes behind it is given
  // whatever its time. Throws argument_error outside the years 1 to 9999.
  static Start at(Time time) { return Start(format_time(time)); }
  // The same place, and word that what compaction has removed behind it may be missed. Without it a
  // durable subscription that would miss some is not made, nor given another filter: EV010, a
  // safety_error. An ephemeral one reads what is left in any case.
  //
  //   store.run_subscription("totals", {}, evercore::Start::beginning().kept(), {.stop = stop}, add);
  Start kept() const { return Start(std::string(kept_word) + place()); }

  // As evercore_subscribe() takes it.
  const std::string& text() const noexcept { return text_; }
  // The place alone, as an ephemeral run takes it.
  std::string place() const {
    return text_.starts_with(kept_word) ? text_.substr(kept_word.size()) : text_;
  }

 private:
  static constexpr std::string_view kept_word = "kept ";
  explicit Start(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// How a runner works. The runner has a copy of its own. Values that cannot be are an argument_error
// of the run, before anything is done.
//
//   evercore::SubscriptionOptions options{.stop = stop, .partitions = 8};
//   options.batch_size = 500;
struct SubscriptionOptions {
  // The runner ends soon after a stop is asked for, from any thread: it finishes the event at hand
  // (or the batch, where the handler takes one) and acknowledges what was handled. It does not
  // break off a handler; a handler that takes long may look at the token itself.
  std::stop_token stop{};
  // Who holds the lease, for those who look at evercore_subscriptions; by default host:process.
  std::string owner{};
  // Into how many partitions a new subscription is divided, 1 to 1,024: how many runners can share
  // it. All events of an aggregate are in one. Empty: 1 for a new one, as it is for one that
  // exists. Another number than it has is a safety_error.
  std::optional<std::int64_t> partitions{};
  // Events fetched, and acknowledged, at a time, at least 1; at most these are repeated after a
  // crash.
  std::int64_t batch_size = 100;
  // How long a runner that died keeps others from its partition: above 0, at most a day. One that
  // is alive renews it each third of that time.
  std::chrono::milliseconds lease{30'000};
  // The lease is renewed, but while the handler is at work on a batch not for longer than this: a
  // handler that hangs loses its partition then, and what it does later has no effect on the
  // cursor.
  std::chrono::milliseconds renew_for{std::chrono::hours{1}};
  // Without news the runner looks again after poll_shortest, which is above 0, then after ever
  // longer waits up to poll_longest, which is no shorter. For partitions that came free it looks
  // each half lease at least. News of an append ends the wait at once, where it is heard (above).
  std::chrono::milliseconds poll_shortest{10};
  std::chrono::milliseconds poll_longest{1'000};
  // A handler that throws is tried again on the same event so many times in all, at least 1, after
  // waits that double from first_wait, which may be 0, up to longest_wait. A lost server is looked
  // for at these intervals for as long as it takes.
  int attempts = 5;
  std::chrono::milliseconds first_wait{100};
  std::chrono::milliseconds longest_wait{10'000};
  // While others hold all partitions: wait until one comes free, or return owned_by_another.
  bool wait_for_lease = true;
  // Return caught_up once there is nothing left to read, in place of waiting for more: for a job
  // that runs now and then, and for tests. A subscription that is paused is waited for all the
  // same.
  bool until_caught_up = false;
};

// Why a runner ended, where it was not by an exception. Whichever it is, what was handled is
// acknowledged and the partition given up, as far as the store could be reached.
enum class SubscriptionEnd {
  stopped,           // a stop was asked for
  caught_up,         // until_caught_up: there was nothing left
  owned_by_another,  // wait_for_lease is false: others hold all partitions
  removed            // somebody unsubscribed it: evercore_unsubscribe()
};

namespace detail {

// A handler of any of the forms, as the runners call it. It refers to the program's own, which must
// outlive it.
struct Handler {
  std::function<void(Context*, std::span<const RecordedEvent>)> call;
  bool takes_context;  // else it is called with none
  bool takes_batch;    // else it is called with one event at a time
};

// False for every type, for an assertion that fails only where it is reached.
template <class>
inline constexpr bool is_handler = false;

using Batch = std::span<const RecordedEvent>;

// Finds out which form a handler has. Where several would do, one without a Context goes first, and
// one that takes an event before one that takes a batch. A handler of none does not compile.
template <class H>
Handler make_handler(H& handler) {
  if constexpr (std::invocable<H&, const RecordedEvent&>) {
    return {[&](Context*, Batch events) { std::invoke(handler, events.front()); }, false, false};
  } else if constexpr (std::invocable<H&, Batch>) {
    return {[&](Context*, Batch events) { std::invoke(handler, events); }, false, true};
  } else if constexpr (std::invocable<H&, Context&, const RecordedEvent&>) {
    return {[&](Context* context, Batch events) { std::invoke(handler, *context, events.front()); },
            true, false};
  } else if constexpr (std::invocable<H&, Context&, Batch>) {
    return {[&](Context* context, Batch events) { std::invoke(handler, *context, events); }, true,
            true};
  } else {
    static_assert(is_handler<H>,
                  "evercore: a subscription's handler takes (const RecordedEvent&) or "
                  "(std::span<const RecordedEvent>), either with a Context& before it");
  }
}

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_SUBSCRIPTION_H
