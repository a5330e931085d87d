#include "transaction.h"

namespace evercore::ext {

namespace {
constexpr std::size_t most_remembered = 100'000;  // of each kind: some 10 MB at the most
}

std::optional<std::int64_t> Transaction::aggregate_by_key(std::int64_t type_id,
                                                          std::string_view key) const {
  const auto names = keys_.find(type_id);
  return names == keys_.end() ? std::nullopt : names->second.find(key);
}

AggregateInfo* Transaction::aggregate(std::int64_t aggregate_id) {
  const auto found = aggregates_.find(aggregate_id);
  return found == aggregates_.end() ? nullptr : &found->second;
}

void Transaction::learn(Names& names, std::string_view name, std::int64_t id) {
  if (!taking_part_) return;
  if (names.size() >= most_remembered) names.clear();
  names.insert_or_assign(name, id);
}

void Transaction::learn_key(std::int64_t type_id, std::string_view key, std::int64_t aggregate_id) {
  if (taking_part_) learn(keys_[type_id], key, aggregate_id);
}

void Transaction::learn_aggregate(std::int64_t aggregate_id, const AggregateInfo& info) {
  if (!taking_part_) return;
  if (aggregates_.size() >= most_remembered) aggregates_.clear();
  aggregates_.insert_or_assign(aggregate_id, info);
}

}  // namespace evercore::ext
