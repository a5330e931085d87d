// What a query is, and the condition of an append.
#pragma once

#include "simulate/call.h"

namespace evercore::simulate {

struct QueryItem {
  std::vector<std::string> types, tags;
  std::optional<Number> after;
};
using Query = std::vector<QueryItem>;

/// Of a text that make_query() wrote; EV009.
Query read_query(const Text& json, const std::string& argument);
Argument make_query(Maker& maker, bool of_condition);

/// EV009 for positions that were never given.
void check_positions(const Store& store, const Query& condition, std::optional<Number> after);
/// EV010 where it cannot be said, EV001 where an event matches.
void check_condition(const Store& store, const Query& condition, Number after);

}  // namespace evercore::simulate
