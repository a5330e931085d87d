#include "simulate/postgres/world.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

namespace evercore::simulate::postgres {

namespace {

bool is_lease_call(const Call& call) {
  static const std::vector<Call> of = lease_calls();
  return std::any_of(of.begin(), of.end(), [&](const Call& one) { return one.name == call.name; });
}

/// What the server itself may answer to a call that waited for others or that was cancelled, and to one of a
/// transaction that another waits for: it need not wait to meet a deadlock.
bool is_of_the_world(const Reply& reply, bool waited, bool in_transaction) {
  return reply.code == "57014" || (waited && (reply.code == "40001" || reply.code == "55P03")) ||
         ((waited || in_transaction) && reply.code == "40P01");
}

/// Gives aggregates other keys for a while, which nobody else has then.
class OtherKeys {
 public:
  OtherKeys(Store& store, const std::map<Number, std::string>& keys) : store_(store) {
    for (const auto& [id, key] : keys) {
      Aggregate& aggregate = store.aggregates.at(id);
      if (Aggregate* taken = store.find(aggregate.type, key)) give(*taken, std::nullopt);
      give(aggregate, key);
    }
  }
  ~OtherKeys() {
    for (auto it = before_.rbegin(); it != before_.rend(); ++it)
      store_.aggregates.at(it->first).key = it->second;
  }
  OtherKeys(const OtherKeys&) = delete;
  OtherKeys& operator=(const OtherKeys&) = delete;

 private:
  void give(Aggregate& aggregate, const Text& key) {
    before_.emplace_back(aggregate.id, aggregate.key);
    aggregate.key = key;
  }

  Store& store_;
  std::vector<std::pair<Number, Text>> before_;
};

/// Lets a subscription be active for a while, if it is not.
class Resumed {
 public:
  Resumed(Store& store, const std::string& name) {
    const auto found = store.subscriptions.find(name);
    if (found == store.subscriptions.end() || found->second.active) return;
    paused_ = &found->second;
    paused_->active = true;
  }
  ~Resumed() {
    if (paused_ != nullptr) paused_->active = false;
  }
  Resumed(const Resumed&) = delete;
  Resumed& operator=(const Resumed&) = delete;

 private:
  Subscription* paused_ = nullptr;
};

}  // namespace

/// A call of a session runs under lock_timeout or statement_timeout, or under none. What a failed transaction set goes with it.
class World::Limit {
 public:
  Limit(Client& client, std::string name) : client_(client), name_(std::move(name)) {
    if (is_set()) client_.session->run("SET " + name_ + " = '10ms'");
  }
  ~Limit() {
    if (is_set()) client_.session->run("RESET " + name_);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  [[nodiscard]] bool is_set() const { return !name_.empty(); }

 private:
  Client& client_;
  std::string name_;
};

World::World(Server& server, std::uint64_t seed)
    : server_(server), declarations_(has_declarations(seed)) {
  server_.make_store();
  server_.set_clock(now_);
  Random random(seed ^ 0x5e771465);
  clients_.resize(static_cast<std::size_t>(random.between(1, 4)));
  witness_ = connect();
  for (Client& client : clients_) {
    client.guards = random.chance(50);
    open(client);
  }
  drawn_ = read_drawn();
}

std::unique_ptr<Session> World::connect() {
  auto session = std::make_unique<Session>(server_.uri());
  if (server_.has_standby()) session->run("SET synchronous_commit = remote_apply");
  return session;
}

void World::open(Client& client) {
  client.session = connect();
  client.transaction.reset();
  client.waiting.reset();
}

void World::note(const Reply& reply) {
  const std::string text = joined(reply.rows) + reply.message;
  for (const char c : text) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

std::optional<std::string> World::take(const Action& step) {
  ++steps_;
  // Those who wait began at a moment that must not pass.
  const bool waits = std::any_of(clients_.begin(), clients_.end(),
                                 [](const Client& client) { return client.waiting.has_value(); });
  if (!waits)
    server_.set_clock(now_ += 1000 + (step.kind == Action::Kind::clock ? step.number : 0));
  try {
    Complaint complaint = act(step);
    if (!complaint && steps_ % 16 == 0) complaint = look();
    return complaint;
  } catch (const Refusal& refusal) {
    return "what a transaction has done is not as it was: " + refusal.messages[0];
  }
}

World::Complaint World::act(const Action& step) {
  switch (step.kind) {
    case Action::Kind::call:
      return call(step);
    case Action::Kind::clock:
      return std::nullopt;
    case Action::Kind::maintain:
      return maintain(step);
    case Action::Kind::crash:
      return crash();
    case Action::Kind::standby:
      return follow();
    case Action::Kind::fail_over:
      return fail_over();
    default:
      return turn(step);
  }
}

Drawn World::read_drawn() {
  const Reply reply = witness_->run(
      "SELECT coalesce(pg_sequence_last_value('evercore_event_position_seq'), 0), "
      "coalesce(pg_sequence_last_value(pg_get_serial_sequence('evercore_aggregate', "
      "'aggregate_id')::regclass), 0), "
      "coalesce(pg_sequence_last_value('_evercore_token'), 0)");
  if (!reply.ok()) throw std::runtime_error(reply.message);
  long long position = 0, aggregate = 0, token = 0;
  std::sscanf(reply.rows.at(0).c_str(), "%lld|%lld|%lld", &position, &aggregate, &token);
  return {position, aggregate, token};
}

Rows World::apply(State& state, const Done& done, bool again) {
  Store& store = state.store;
  const Number head = std::max(store.head, done.drawn.position);
  const Number newest_id = std::max(store.newest_id, done.drawn.aggregate);
  store.head = done.drawn.position;
  store.newest_id = done.drawn.aggregate;
  store.least_token = done.drawn.token;
  for (auto& [name, subscription] : store.subscriptions) subscription.last_token = done.drawn.token;
  Scene scene{store, state.memory, done.now, done.safe, again};
  const OtherKeys other_keys(store, done.keys);
  std::optional<Resumed> resumed;
  if (done.claimed) resumed.emplace(store, *text(done.arguments[0]));
  Rows rows = done.call->answer(scene, done.arguments);
  store.head = std::max(store.head, head);
  store.newest_id = std::max(store.newest_id, newest_id);
  return rows;
}

World::State World::seen_by(const Client& client) const {
  State state = committed_;
  if (!client.transaction) return state;
  for (const Done& done : client.transaction->done) apply(state, done, true);
  return state;
}

Number World::safe() const {
  Number safe = drawn_.position;
  for (const Client& client : clients_) {
    if (client.waiting && client.waiting->floor) safe = std::min(safe, *client.waiting->floor);
    if (!client.transaction) continue;
    for (const Done& done : client.transaction->alive())
      safe = std::min(safe, done.floor.value_or(safe));
  }
  return safe;
}

/// What a failed transaction can no longer commit: the server let go of its locks when it failed.
std::span<const World::Done> World::Transaction::alive() const {
  if (!failed) return done;
  return std::span(done).first(savepoints.empty() ? 0 : savepoints.back());
}

bool World::is_left_out(const Client& client, const Call& call) const {
  const std::string& name = call.name;
  // What a fetch has seen is noted where its transaction ends, and the model would look again by then; it would also
  // compact what others have appended since, and whoever looks waits for one that makes an index.
  const bool ends_with_itself =
      name == "evercore_fetch" || name == "evercore_compact_type" || name == "evercore_index_types";
  if (ends_with_itself && client.transaction) return true;
  // A claim and the compaction of a type pass over what another has in hand, what a fetch has seen is noted unless
  // another has, a query stops below it, and so does a subscription that begins at the end: what they answer then is
  // no matter of the store alone. A server that commits lets go of what stops them a moment after it wakes them.
  const bool alone = is_lease_call(call) || ends_with_itself || name == "evercore_query" ||
                     name == "evercore_subscribe" || name == "evercore_reset";
  return alone && std::any_of(clients_.begin(), clients_.end(), [&](const Client& other) {
           return &other != &client &&
                  (other.waiting || (other.transaction && !other.transaction->done.empty()));
         });
}

World::Complaint World::call(const Action& step) {
  Client& client = clients_[step.session];
  if (client.waiting || (client.transaction && client.transaction->failed) ||
      is_left_out(client, *step.call))
    return std::nullopt;
  drawn_ = read_drawn();
  Done done{step.call, step.arguments, now_, safe(), drawn_};
  const std::string sql = sql_of(*step.call, step.arguments);
  const bool others_wait = std::any_of(clients_.begin(), clients_.end(), [](const Client& other) {
    return other.waiting.has_value();
  });
  // Whoever waits for this one would go on in the time that only it has.
  const Limit limit(client, others_wait ? "" : step.limit);
  client.session->send((client.transaction && client.guards ? "SAVEPOINT guard; " : "") + sql,
                       step.call->kinds);
  std::optional<Reply> reply = client.session->answer(*witness_);
  if (reply) return finish(client, done, *reply, false);
  if (limit.is_set()) return finish(client, done, run_out(client), true);
  if (others_wait) {  // one at a time, so that it is clear who goes on first
    client.session->cancel();
    do reply = client.session->answer(*witness_);
    while (!reply);
    return finish(client, done, *reply, true);
  }
  const Drawn meanwhile = read_drawn();
  if (meanwhile.position > drawn_.position) done.floor = drawn_.position;
  client.waiting = done;
  client.seen = seen_by(client);
  return std::nullopt;
}

/// Time goes on for one that waits under a limit, and for nobody else.
Reply World::run_out(Client& client) {
  server_.set_clock(now_ + 1'000'000);
  std::optional<Reply> reply;
  do reply = client.session->answer(*witness_);
  while (!reply);
  server_.set_clock(now_);
  return *reply;
}

World::Complaint World::finish(Client& client, Done done, const Reply& reply, bool waited) {
  note(reply);
  const Number sent = done.drawn.position;
  State after;
  bool refused = true;
  if (reply.ok() || !is_of_the_world(reply, waited, client.transaction.has_value())) {
    if (auto complaint = agree(client, done, reply, waited, after, refused)) return complaint;
  }
  if (client.transaction && client.guards) {
    const Reply back =
        client.session->run(refused ? "ROLLBACK TO guard; RELEASE guard" : "RELEASE guard");
    if (!back.ok()) return "a savepoint: " + back.message;
  } else if (client.transaction && refused) {
    client.transaction->failed = true;
  }
  // What was declared already is left to others.
  const bool changes =
      refused || !declares(*done.call) || !after.store.declares_as(seen_by(client).store);
  if (!refused && !client.transaction) {
    committed_ = std::move(after);
  } else if (!refused && changes &&
             reply.rows != Rows{"NULL"} &&  // a claim that found nothing is nothing to do again
             (done.call->writes || is_lease_call(*done.call))) {
    client.transaction->done.push_back(done);
    client.transaction->done.back().claimed = done.call->name == "evercore_claim";
    if (waited && done.floor) hold_where_it_began(client.transaction->done.back(), sent);
  }
  return settle();  // a call that fails lets go of locks as well
}

/// An append that waited may hold followers where they stood when it was sent, or when it went on: which, no answer
/// tells.
void World::hold_where_it_began(Done& done, Number sent) {
  drawn_ = read_drawn();
  const Reply head = witness_->run("SELECT evercore_head()");
  const Number held = head.ok() ? std::stoll(head.rows.at(0)) : sent - 1;
  if (held >= sent && held < safe()) done.floor = held;
}

/// Locks may have gone: does the one who waits go on? What sequences gave was read before they went: it draws from then
/// on, beside whatever is done here.
World::Complaint World::settle() {
  for (Client& client : clients_) {
    if (!client.waiting) continue;
    const std::optional<Reply> reply = client.session->answer(*witness_);
    if (!reply) continue;
    const Done done = *std::exchange(client.waiting, std::nullopt);
    return finish(client, done, *reply, true);
  }
  return std::nullopt;
}

World::Complaint World::crash() {
  // What open transactions drew is in the log or not, whenever its writer came by last: it comes by now.
  witness_->run("SELECT pg_logical_emit_message(true, 'crash', '')");
  server_.crash();
  return go_on("a crash");
}

/// All connect again, to a server that begins with what is kept: what was acknowledged, and nothing of open transactions.
World::Complaint World::go_on(const std::string& what) {
  witness_ = connect();
  for (Client& client : clients_) open(client);
  const Reply reply = witness_->run("SELECT problem FROM evercore_check()");
  if (!reply.ok() || !reply.rows.empty())
    return "after " + what + ": " + reply.message + joined(reply.rows);
  return look();
}

/// From now on who commits waits until the standby shows it, which is what a session says when it connects.
World::Complaint World::follow() {
  if (server_.has_standby()) return std::nullopt;
  for (Client& client : clients_) {
    if (auto complaint = kill(client)) return complaint;
  }
  server_.make_standby();
  witness_ = connect();
  for (Client& client : clients_) open(client);
  return std::nullopt;
}

/// The server that takes over begins another timeline. Its first append leaves room for all that may have been given
/// and lost, and does so for good though it is rolled back itself; so the model need not know whose it is.
World::Complaint World::fail_over() {
  if (!server_.has_standby()) return std::nullopt;
  constexpr Number room = 1 << 20;
  witness_->run("SELECT pg_logical_emit_message(true, 'fail over', '')");
  server_.fail_over();
  if (auto complaint = go_on("a switch to the standby")) return complaint;
  const Drawn before = read_drawn();
  const Reply first = witness_->run(
      "BEGIN; SELECT evercore_append(evercore_create('First'), 0, 'First', '{}'); ROLLBACK");
  drawn_ = read_drawn();
  if (!first.ok()) return "the first append after a switch to the standby: " + first.message;
  if (drawn_.position < before.position + room || drawn_.token < before.token + room)
    return "a switch to the standby: positions or tokens may be given twice";
  const std::string damage = server_.damage();
  return damage.empty() ? Complaint() : "after a switch to the standby: " + damage;
}

World::Complaint World::maintain(const Action& step) {
  Client& client = clients_[step.session];
  if (client.waiting || client.transaction) return std::nullopt;
  drawn_ = read_drawn();
  client.session->send(step.sql);
  std::optional<Reply> reply = client.session->answer(*witness_);
  if (!reply) {
    client.session->cancel();
    do reply = client.session->answer(*witness_);
    while (!reply);
  }
  if (reply->ok() || reply->code == "57014") return settle();
  return step.sql + ": " + reply->message;
}

}  // namespace evercore::simulate::postgres
