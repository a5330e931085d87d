// Subscriptions: made, changed, paused, put back, removed.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

struct Start {
  Number position = 0;
  std::optional<Number> time;
  bool kept = false;  ///< that compacted events are missed is meant
};

bool says_kept(const Text& start) {
  return start && (*start == "kept" || start->starts_with("kept "));
}

Start resolve(const Scene& scene, const Text& given) {
  Start start;
  start.kept = says_kept(given);
  std::string place = given.value_or("beginning");
  if (start.kept) place = place == "kept" ? "beginning" : place.substr(5);
  if (place == "beginning") return start;
  if (place == "end") return {scene.safe, {}, true};
  if (place.find('T') == std::string::npos) {
    start.position = std::stoll(place);
    if (start.position > scene.safe) refuse(9, "start is out of range: " + cell(start.position));
    return start;
  }
  start.time = parse_time(place);
  start.position = scene.safe;
  for (const Event& event : scene.store.events) {
    if (event.removed || event.position > scene.safe || event.time < *start.time) continue;
    start.position = event.position - 1;
    break;
  }
  return start;
}

[[noreturn]] void refuse_missing(const std::string& name, Number position) {
  refuse(10, "subscription \"" + name +
                 "\" would miss events that were compacted, up to position " + cell(position) +
                 ": begin the start with the word kept to say that this is meant");
}

/// The newest position that compaction removed of what the filter wants, of aggregates that `counts` takes.
template <typename Counts>
Number newest_removed(const Store& store, const Filter& filter, const Counts& counts) {
  Number newest = 0;
  for (const auto& [id, aggregate] : store.aggregates) {
    if (!counts(aggregate)) continue;
    for (const auto& [type, position] : aggregate.compacted) {
      // What bears tags is never removed.
      if (filter.tags.empty() && store.passes(filter, aggregate, type))
        newest = std::max(newest, position);
    }
  }
  return newest;
}

void require_kept(const Store& store, const std::string& name, const Filter& filter,
                  const Start& start) {
  if (start.kept) return;
  const Number lost = newest_removed(store, filter, [](const Aggregate&) { return true; });
  if (start.position < lost) refuse_missing(name, lost);
  if (!start.time) return;
  const Number later = newest_removed(store, filter, [&](const Aggregate& a) {
    return a.compacted_time && *a.compacted_time >= *start.time;
  });
  if (later > 0) refuse_missing(name, later);
}

void require_kept_by_cursors(const Store& store, const std::string& name,
                             const Subscription& subscription) {
  const auto count = static_cast<Number>(subscription.partitions.size());
  for (Number partition = 0; partition < count; ++partition) {
    const Number lost = newest_removed(
        store, subscription.filter, [&](const Aggregate& a) { return a.id % count == partition; });
    if (subscription.partitions[static_cast<std::size_t>(partition)].position < lost)
      refuse_missing(name, lost);
  }
}

void make_partitions(Subscription& subscription, Number count) {
  Partition fresh;
  fresh.position = subscription.start;
  subscription.partitions.assign(static_cast<std::size_t>(count), fresh);
}

/// A subscription's event types are known from then on.
Filter read_and_learn(Store& store, const Text& json) {
  Filter filter = read_filter(json);
  for (const std::string& type : filter.event_types) store.folds.try_emplace(type, Fold::merge);
  return filter;
}

void change(Scene& scene, const std::string& name, Subscription& subscription, const Filter& filter,
            const Arguments& arguments) {
  const auto partitions = number(arguments[3]);
  const auto count = static_cast<Number>(subscription.partitions.size());
  if (partitions && *partitions != count) {
    if (!subscription.repartitionable) {
      refuse(10, "subscription \"" + name + "\" has " + cell(count) +
                     " partitions: reset it to change them");
    }
    make_partitions(subscription, *partitions);
  }
  const bool changed = subscription.filter != filter;
  subscription.filter = filter;
  if (changed && !says_kept(text(arguments[2])))
    require_kept_by_cursors(scene.store, name, subscription);
}

Rows subscribe(Scene& scene, const Arguments& arguments) {
  const std::string name = *text(arguments[0]);
  Store& store = scene.store;
  const auto found = store.subscriptions.find(name);
  if (found != store.subscriptions.end() && !found->second.removed) {
    change(scene, name, found->second, read_and_learn(store, text(arguments[1])), arguments);
    return {name};
  }
  const Start start = resolve(scene, text(arguments[2]));
  Subscription subscription;
  subscription.last_token =
      found != store.subscriptions.end() ? found->second.last_token : store.least_token;
  subscription.start = start.position;
  subscription.filter = read_and_learn(store, text(arguments[1]));
  make_partitions(subscription, number(arguments[3]).value_or(1));
  require_kept(store, name, subscription.filter, start);
  store.subscriptions[name] = subscription;
  return {name};
}

Rows reset(Scene& scene, const Arguments& arguments) {
  const std::string name = *text(arguments[0]);
  Subscription& subscription = scene.store.subscription(name);
  const Start start = resolve(scene, text(arguments[1]));
  require_kept(scene.store, name, subscription.filter, start);
  subscription.start = start.position;
  subscription.repartitionable = true;
  make_partitions(subscription, static_cast<Number>(subscription.partitions.size()));
  return {name};
}

Rows unsubscribe(Scene& scene, const Arguments& arguments) {
  Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  subscription.partitions.clear();
  subscription.removed = true;
  return {*text(arguments[0])};
}

Rows pause(Scene& scene, const Arguments& arguments) {
  scene.store.subscription(*text(arguments[0])).active = false;
  return {*text(arguments[0])};
}

Rows resume(Scene& scene, const Arguments& arguments) {
  scene.store.subscription(*text(arguments[0])).active = true;
  return {*text(arguments[0])};
}

Rows relation(Scene& scene, const Arguments&) {
  Rows rows;
  for (const auto& [name, subscription] : scene.store.subscriptions) {
    for (std::size_t i = 0; i < subscription.partitions.size(); ++i) {
      const Partition& p = subscription.partitions[i];
      const auto unread = scene.store.unread(subscription, static_cast<Number>(i));
      const Number lag =
          unread.empty()
              ? 0
              : std::max<Number>(0, scene.now / 1000000 - unread.front()->recorded / 1000000);
      rows.push_back(
          row({name, cell(static_cast<Number>(i)), cell(subscription.filter.text()),
               cell(p.position), cell(static_cast<Number>(unread.size())), cell(lag), cell(p.owner),
               p.owner ? cell(p.token) : "NULL", p.owner ? time_text(p.expires) : "NULL",
               subscription.active ? "1" : "0", cell(p.error)}));
    }
  }
  return rows;
}

Arguments named(Maker& maker) {
  return {maker.name()};
}

}  // namespace

std::vector<Call> subscription_calls() {
  return {
      {"evercore_subscribe", 4, true, "", "t",
       [](Maker& m) {
         return Arguments{m.random.pick<std::string>({"r", "s"}), m.filter(), m.start(),
                          m.some({{}, {}, Number{1}, Number{2}, Number{3}})};
       },
       subscribe},
      {"evercore_reset", 1, true, "", "t",
       [](Maker& m) {
         Argument start = m.start();
         return Arguments{m.name(), text(start) ? start : Argument("kept")};
       },
       reset},
      {"evercore_unsubscribe", 1, true, "", "t", named, unsubscribe},
      {"evercore_pause", 1, true, "", "t", named, pause},
      {"evercore_resume", 2, true, "", "t", named, resume},
      {"evercore_subscriptions", 2, false, "", "ttttttttttt", [](Maker&) { return Arguments{}; },
       relation,
       [](const Arguments&) {
         return "SELECT name, partition, filter, position, lag_events, lag_seconds, owner, token, "
                "lease_expires_at, active, last_error "
                "FROM evercore_subscriptions ORDER BY name, partition";
       }},
  };
}

}  // namespace evercore::simulate
