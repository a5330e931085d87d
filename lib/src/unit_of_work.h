// What stands behind a context: its session, the events it staged, and how they are written at the
// end.
#ifndef EVERCORE_SRC_UNIT_OF_WORK_H
#define EVERCORE_SRC_UNIT_OF_WORK_H

#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "evercore/context.h"
#include "evercore/engine.h"

namespace evercore::detail {

// What all contexts of a store share: its engine, and the aggregate types that were used with it.
struct StoreCore {
  std::shared_ptr<StorageEngine> engine;

  // Takes note that the type is used. Throws usage_error when its name, or that of one of its events,
  // is that of another struct already.
  void meet(const AggregateType& type);
  // Whether the type is known to be declared and committed.
  bool knows(const AggregateType& type);
  // Declares of the type what the store does not, in a transaction of its own, and remembers it once that
  // is committed.
  void declare(const AggregateType& type, SessionHandle session = {});
  // Declares the types in place of what the store declares, in one transaction.
  void declare_in_place(std::span<const AggregateType* const> types);
  // Lets every type be declared again when it is used next.
  void forget_declarations();

 private:
  bool has_met(const AggregateType& type) const;
  void require_own_names(const AggregateType& type) const;
  void require_agreement(const AggregateType& type);
  void know(const AggregateType& type);

  std::shared_mutex mutex_;
  std::vector<const AggregateType*> met_;
  std::vector<const AggregateType*> known_;
};

class UnitOfWork : public std::enable_shared_from_this<UnitOfWork> {
 public:
  enum class Mode { readonly, staging, writing };
  enum class Outcome { open, done, failed, repeated };

  UnitOfWork(std::shared_ptr<StoreCore> core, bool readonly);
  ~UnitOfWork();

  // The session, in a transaction for reading at least.
  Session& reading();
  // The session in a write transaction, which begins with the first call.
  Session& writing();

  // The events that match now.
  std::vector<RecordedEvent> query(const Query& query);
  // The same, and the commit fails when others that match have come since.
  std::vector<RecordedEvent> depend_on(const Query& query);

  void load(Aggregate& aggregate, std::int64_t id);
  void load(Aggregate& aggregate, std::string_view natural_key);
  void load_at(Aggregate& aggregate, std::int64_t id, std::int64_t sequence);
  void create(Aggregate& aggregate, std::optional<std::string_view> natural_key);
  void load_or_create(Aggregate& aggregate, std::string_view natural_key);
  void change_key(Aggregate& aggregate, std::string_view new_key);
  std::optional<std::int64_t> find(const AggregateType& type, std::string_view natural_key);
  void meet(const AggregateType& type) { core_->meet(type); }

  void adopt(Aggregate& aggregate);
  void require_writable() const;
  void require_fit(const Aggregate& aggregate) const;
  void stage(Aggregate& aggregate, std::string_view event_type, std::string data,
             const EventOptions& options);
  void publish(std::int64_t id, std::string_view type, std::string_view key, RawEvent event,
               std::optional<std::int64_t> expected);
  void save_snapshot(const Aggregate& aggregate);
  // Moves a subscription's cursor in the same commit, which fails when the lease is lost.
  void stage_ack(const std::string& name, std::int64_t token, std::int64_t position);

  void commit();
  // Ends it without writing, if it has not ended.
  void abandon() noexcept;

  Mode mode() const noexcept { return mode_; }

 private:
  // An event and where it goes.
  struct Staged {
    std::int64_t aggregate_id;  // 0: by type and key
    std::string aggregate_type;
    std::string natural_key;
    std::optional<std::int64_t> expected;
    RawEvent event;

    // Whether it goes into the same append as the one that was staged before it.
    bool follows(const Staged& before) const;
    void write_target(std::string& json) const;
  };
  struct Snapshot {
    std::int64_t aggregate_id;
    std::int64_t sequence;
    std::string state;
    std::int64_t version;
  };

  // What evercore_append_many() takes.
  struct Condition {
    std::string query;
    std::int64_t after;
  };

  struct Ack {
    std::string name;
    std::int64_t token;
    std::int64_t position;
  };

  template <class Sink>
  void replay(const Aggregate& aggregate, std::int64_t id, std::optional<std::string_view> key,
              std::int64_t version, Sink&& sink);
  void take_row(Aggregate& aggregate, const Row& row, bool base, std::int64_t up_to);
  void belongs(Aggregate& aggregate);
  void end_reading() noexcept;
  void will_write(const AggregateType& type);
  void declare_types();
  std::string appends_as_json() const;
  std::vector<Condition> conditions() const;
  struct Sending;
  void add_appends(std::vector<Command>& commands, Sending& sending) const;
  void add_single_append(std::vector<Command>& commands, Sending& sending) const;
  bool may_have_repeated(const Sending& sending) const;
  void close(Outcome outcome) noexcept;

  std::shared_ptr<StoreCore> core_;
  SessionHandle session_;
  Mode mode_;
  Outcome outcome_ = Outcome::open;
  bool reading_ = false;
  bool has_event_ids_ = false;
  std::vector<Staged> staged_;
  std::vector<Snapshot> snapshots_;
  std::optional<Ack> ack_;
  std::vector<std::pair<QueryItem, std::int64_t>>
      depends_on_;                                    // items, and up to where each was read
  std::optional<std::int64_t> depends_on_all_after_;  // the same of the query of all events
  std::vector<const AggregateType*> types_;           // that this unit found undeclared
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_UNIT_OF_WORK_H
