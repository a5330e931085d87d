// Declarations that a connection has parsed, found by their text. The stored text is compared at each use,
// so an entry cannot be out of date.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "error.h"
#include "json.h"
#include "payload.h"

namespace evercore::ext {

/// Declarations of one kind whose text is a JSON array: rules, or upcasts.
template <typename Declaration>
class Known {
 public:
  /// Null where the text is no legal declaration.
  std::shared_ptr<const Declaration> find(Payload& payload, std::string_view text) {
    const auto known = known_.find(text);
    if (known != known_.end()) return known->second;
    std::shared_ptr<const Declaration> read;
    try {
      payload.check_value("declaration", text);
      const std::string_view json = trim(text);
      if (json.starts_with('[')) read = std::make_shared<const Declaration>(json);
    } catch (const Error& failure) {
      if (failure.code == Code::engine) throw;
    }
    if (known_.size() == most) known_.clear();
    return known_.emplace(text, std::move(read)).first->second;
  }

 private:
  static constexpr std::size_t most = 1000;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::shared_ptr<const Declaration>, Hash, std::equal_to<>> known_;
};

}  // namespace evercore::ext
