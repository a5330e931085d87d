// What the newest empty evercore_fetch of each partition saw on this connection: an ack of NULL moves past it.
//
// A fetch in a transaction that evercore has written in may see what is rolled back later, such as another natural key.
// So what it saw is forgotten with a rollback, also to a savepoint that began before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace evercore::ext {

struct EmptyFetch {
  std::int64_t token = 0;
  std::int64_t after = 0;  ///< the cursor it began at: a rollback may have taken it back since
  std::int64_t seen = 0;   ///< nothing passes from there up to here
  bool cut = false;        ///< it ended before the head, at its bound
  std::optional<std::string> filter;
};

class EmptyFetches {
 public:
  /// `writing`: in a transaction that evercore has written in.
  void remember(std::int64_t subscription_id, std::int64_t partition, EmptyFetch fetch,
                bool writing) {
    newest_ += writing ? 1 : 0;
    entries_.insert_or_assign({subscription_id, partition},
                              Entry{std::move(fetch), writing ? newest_ : 0});
  }
  [[nodiscard]] const EmptyFetch* find(std::int64_t subscription_id, std::int64_t partition) const {
    const auto found = entries_.find({subscription_id, partition});
    return found == entries_.end() ? nullptr : &found->second.fetch;
  }
  /// Whether one under the token ended at its bound.
  [[nodiscard]] bool is_cut(std::int64_t token) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
      return entry.second.fetch.cut && entry.second.fetch.token == token;
    });
  }

  /// What SQLite reports of a transaction, by the number of the savepoint. It begins where evercore first writes:
  /// a fetch before that, or in a transaction where evercore wrote nothing, saw what is committed.
  void begin() { savepoints_.clear(); }
  void savepoint(int number) {
    if (number < 0) return;
    const auto at = static_cast<std::size_t>(number);
    if (savepoints_.size() <= at) savepoints_.resize(at + 1);
    savepoints_[at] = newest_;
  }
  void roll_back_to(int number) noexcept {
    const auto at = static_cast<std::size_t>(number);
    drop_after(number >= 0 && at < savepoints_.size() ? savepoints_[at] : 0);
  }
  void roll_back() noexcept { drop_after(0); }
  void commit() noexcept {
    for (auto& entry : entries_) entry.second.number = 0;
  }

 private:
  struct Entry {
    EmptyFetch fetch;
    std::int64_t number;  ///< of those that read what is not committed, from 1; else 0
  };
  void drop_after(std::int64_t number) noexcept {
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.number > number; });
  }

  std::map<std::pair<std::int64_t, std::int64_t>, Entry> entries_;  // by subscription and partition
  std::vector<std::int64_t> savepoints_;  // the newest number when each began; 0: not known
  std::int64_t newest_ = 0;
};

}  // namespace evercore::ext
