#include "evercore/codec.h"

namespace evercore::detail {

namespace {

std::string path_of(const Place* place) {
  if (place == nullptr) return {};
  std::string path = path_of(place->outer);
  if (place->name.data() == nullptr) return path + "[" + std::to_string(place->index) + "]";
  if (!path.empty()) path += '.';
  return path.append(place->name);
}

}  // namespace

void fail_decoding(const Place* place, const std::string& problem) {
  std::string path = path_of(place);
  const std::string field = path.empty() ? std::string("the document") : "field \"" + path + "\"";
  throw decode_error(field + ": " + problem, std::move(path));
}

void fail_kind(const Place* place, std::string_view expected, json::Value found) {
  fail_decoding(place, "expected " + std::string(expected) + ", found " +
                           std::string(json::describe(found.kind())));
}

void fail_unnamed_enum(std::string_view type, std::int64_t value) {
  throw payload_error("EV004: data: value " + std::to_string(value) + " of enum " +
                      std::string(type) +
                      " has no name (evercore::reflect::enum_range widens the search)");
}

}  // namespace evercore::detail
