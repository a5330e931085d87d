// What the running write transaction has learnt: ids of names and keys, versions of aggregates.
//
// It may be trusted only while the virtual table `evercore_append` takes part in the transaction,
// since SQLite then reports every commit, rollback and return to a savepoint, and with each of them
// all of it is dropped. Nothing is ever remembered beyond a transaction: a rolled-back first use of
// a name leaves no trace.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace evercore::ext {

/// An aggregate as an append needs it.
struct AggregateInfo {
  std::int64_t version = 0;
  std::int64_t snapshot_every = 0;
  std::int64_t checked_type = 0;  ///< its type, where that declares a schema of states; else 0
};

class Transaction {
 public:
  /// From xBegin: the table takes part from now on.
  void begin() noexcept {
    forget();
    taking_part_ = true;
    head_noted_ = false;
    looked_at_ = false;
    journal_seen_ = false;
  }
  /// From xCommit and xRollback.
  void end() noexcept {
    forget();
    taking_part_ = false;
  }
  /// From xRollbackTo, and from whatever changes what is remembered here.
  void forget() noexcept {
    event_types_.clear();
    aggregate_types_.clear();
    keys_.clear();
    aggregates_.clear();
    policies_.clear();
  }
  [[nodiscard]] bool taking_part() const { return taking_part_; }
  /// Whether this transaction has seen that the store is still of this program's version.
  [[nodiscard]] bool looked_at() const { return looked_at_; }
  void note_look() { looked_at_ = true; }
  void forget_look() { looked_at_ = false; }
  /// Whether it has seen its journal open. One that is open stays to the end of the transaction.
  [[nodiscard]] bool journal_seen() const { return journal_seen_; }
  void note_journal() { journal_seen_ = true; }

  /// True once a transaction: its first append has to note the head that it begins at (head.h).
  [[nodiscard]] bool note_head() noexcept {
    const bool first = !head_noted_;
    head_noted_ = true;
    return first;
  }

  [[nodiscard]] std::optional<std::int64_t> event_type(std::string_view name) const {
    return event_types_.find(name);
  }
  [[nodiscard]] std::optional<std::int64_t> aggregate_type(std::string_view name) const {
    return aggregate_types_.find(name);
  }
  [[nodiscard]] std::optional<std::int64_t> aggregate_by_key(std::int64_t type_id,
                                                             std::string_view key) const;
  [[nodiscard]] AggregateInfo* aggregate(std::int64_t aggregate_id);

  /// Every how many events a type's policy wants a snapshot; 0: never.
  [[nodiscard]] std::optional<std::int64_t> policy(std::int64_t type_id) const {
    const auto found = policies_.find(type_id);
    return found == policies_.end() ? std::nullopt : std::optional(found->second);
  }

  void learn_event_type(std::string_view name, std::int64_t id) { learn(event_types_, name, id); }
  void learn_aggregate_type(std::string_view name, std::int64_t id) {
    learn(aggregate_types_, name, id);
  }
  void learn_key(std::int64_t type_id, std::string_view key, std::int64_t aggregate_id);
  void learn_aggregate(std::int64_t aggregate_id, const AggregateInfo& info);
  void learn_policy(std::int64_t type_id, std::int64_t every) {
    if (taking_part_) policies_.insert_or_assign(type_id, every);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  /// Ids by name. It asks first whether the name is the one that was found last: mostly it is, and a
  /// hash costs more than that.
  class Names {
   public:
    Names() = default;
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

    [[nodiscard]] std::optional<std::int64_t> find(std::string_view name) const {
      if (newest_ == nullptr || newest_->first != name) {
        const auto found = ids_.find(name);
        if (found == ids_.end()) return std::nullopt;
        newest_ = &*found;
      }
      return newest_->second;
    }
    void insert_or_assign(std::string_view name, std::int64_t id) {
      ids_.insert_or_assign(std::string(name), id);
    }
    [[nodiscard]] std::size_t size() const { return ids_.size(); }
    void clear() noexcept {
      newest_ = nullptr;
      ids_.clear();
    }

   private:
    using Ids = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;
    Ids ids_;
    mutable const Ids::value_type* newest_ = nullptr;  // its nodes stay where they are
  };

  void learn(Names& names, std::string_view name, std::int64_t id);

  Names event_types_;
  Names aggregate_types_;
  std::unordered_map<std::int64_t, Names> keys_;
  std::unordered_map<std::int64_t, AggregateInfo> aggregates_;
  std::unordered_map<std::int64_t, std::int64_t> policies_;
  bool taking_part_ = false;
  bool head_noted_ = false;
  bool looked_at_ = false;
  bool journal_seen_ = false;
};

}  // namespace evercore::ext
