// Schemas of data: what the data of an event type must be, as JSON Schema 2020-12 with the keywords of
// data_schema_keyword.h.
//
//   SELECT evercore_event_type('Deposited', NULL,
//     '{"schema":{"required":["amount"],"properties":{"amount":{"type":"integer","minimum":1}}}}');
//   SELECT evercore_append(1, NULL, 'Deposited', '{"amount":0}');
//     EV011: data of "Deposited": /amount: minimum
//
// A declaration is read once into a tree of nodes (data_schema_node.h). Data are first only asked whether
// they are taken; the fault is looked for in those that are not, and then in the order that the surface
// fixes, so that both engines name the same one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "json_tree.h"

namespace evercore::ext {

class DataSchema {
 public:
  // What a declaration may have at most; beyond that it is EV009.
  static constexpr std::size_t most_bytes = std::size_t{256} << 10;
  static constexpr std::size_t most_schemas = 2'000;  ///< all that stand in it, itself included
  static constexpr int most_levels = 64;              ///< of schemas in one another
  /// Schemas tried on values, and values compared, for one document.
  static constexpr std::uint64_t most_steps = 50'000'000;

  /// Of a text that is legal JSON. Throws EV009 with the pointer to the first fault.
  explicit DataSchema(std::string_view json);
  DataSchema(DataSchema&&) noexcept;
  DataSchema& operator=(DataSchema&&) noexcept;
  ~DataSchema();

  /// Whether it takes a document; not where that takes more steps.
  [[nodiscard]] bool takes(const JsonTree& data, std::uint64_t most = most_steps) const;
  /// The first fault of a document, `/amount: minimum`, or `: too complex`; nothing where it is taken.
  [[nodiscard]] std::optional<std::string> fault(const JsonTree& data,
                                                 std::uint64_t most = most_steps) const;

  struct Nodes;

 private:
  std::unique_ptr<const Nodes> nodes_;
};

}  // namespace evercore::ext
