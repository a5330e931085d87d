#include "schema.h"

#include <optional>
#include <string>
#include <unordered_map>

#include "../../ext/data_schema.h"
#include "../../ext/json.h"
#include "../../ext/json_tree.h"

namespace evercore::native {

namespace {

constexpr std::size_t most_kept = 256;  // schemas; a session that sees more begins anew
constexpr std::uint64_t most_schema_steps = 1'000'000;
constexpr std::size_t most_digits = 18;  // of a number that is printed as it was given

struct Kept {
  std::string text;
  ext::DataSchema schema;
};

/// What was read of a schema, under the name of its type; read anew where that declares another.
const ext::DataSchema& read_schema(std::string_view name, std::string_view text) {
  static std::unordered_map<std::string, Kept> kept;
  const std::string key(name);
  const auto found = kept.find(key);
  if (found != kept.end() && found->second.text == text) return found->second.schema;
  if (kept.size() >= most_kept) kept.clear();
  std::string own(text);
  ext::DataSchema schema(own);
  return kept.insert_or_assign(key, Kept{std::move(own), std::move(schema)}).first->second.schema;
}

ext::JsonTree& read_value(std::string_view value) {
  static ext::JsonTree tree;
  tree.shrink();
  if (!tree.read(value)) throw std::bad_alloc();
  return tree;
}

/// How many schemas may be tried so that the function in SQL, which counts a large value for more, surely does not
/// find it too complex: see @count_schema_tried@ in sql/macros.txt.
std::uint64_t most_steps(std::string_view value) {
  return most_schema_steps / (1 + value.size() / 16);
}

/// jsonb prints 1e300 with all its digits: such a number is no double any more.
bool has_long_number(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run > most_digits) return true;
  }
  return false;
}

}  // namespace

bool schema_takes(std::string_view event_type, std::string_view schema,
                  std::string_view data) noexcept try {
  return read_schema(event_type, ext::trim(schema)).takes(read_value(data), most_steps(data));
} catch (...) {
  return false;
}

bool schema_fault(std::string_view schema, std::string_view value, std::string_view& fault) noexcept
    try {
  static std::string kept;
  if (has_long_number(schema) || has_long_number(value)) return false;
  kept = read_schema(schema, schema)
             .fault(read_value(value), most_steps(value))
             .value_or(std::string());
  if (kept == ": too complex") return false;
  fault = kept;
  return true;
} catch (...) {
  return false;
}

}  // namespace evercore::native
