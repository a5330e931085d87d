#include "state.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "error.h"
#include "json.h"

namespace evercore::ext {

namespace {

[[noreturn]] void refuse_stored(const char* what) {
  throw error(4, std::string(what) + ": not JSON; evercore_check() names the place");
}

/// The key of the member at hand; `resolved` holds it where it is spelled with escapes.
std::string_view key_of(const Members& member, std::string& resolved) {
  if (!member.key_is_escaped()) return member.raw_key();
  resolved = unescape(member.raw_key());
  return resolved;
}

bool same_element(simdjson::dom::element a, simdjson::dom::element b);

bool same_object(simdjson::dom::object a, simdjson::dom::object b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& member) {
    simdjson::dom::element other;
    return b.at_key(member.key).get(other) == simdjson::SUCCESS &&
           same_element(member.value, other);
  });
}

bool same_array(simdjson::dom::array a, simdjson::dom::array b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_element);
}

bool same_element(simdjson::dom::element a, simdjson::dom::element b) {
  using simdjson::dom::element_type;
  if (a.is_number() && b.is_number() && a.type() != b.type()) {
    return a.get_double().value_unsafe() == b.get_double().value_unsafe();
  }
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case element_type::OBJECT:
      return same_object(a.get_object().value_unsafe(), b.get_object().value_unsafe());
    case element_type::ARRAY:
      return same_array(a.get_array().value_unsafe(), b.get_array().value_unsafe());
    case element_type::STRING:
      return a.get_string().value_unsafe() == b.get_string().value_unsafe();
    case element_type::INT64:
      return a.get_int64().value_unsafe() == b.get_int64().value_unsafe();
    case element_type::UINT64:
      return a.get_uint64().value_unsafe() == b.get_uint64().value_unsafe();
    case element_type::DOUBLE:
      return a.get_double().value_unsafe() == b.get_double().value_unsafe();
    case element_type::BOOL:
      return a.get_bool().value_unsafe() == b.get_bool().value_unsafe();
    case element_type::NULL_VALUE:
      return true;
  }
  return false;
}

}  // namespace

State::State(std::string_view object) {
  if (trim(object) == "{}") return;
  Members member(object);
  std::string resolved;
  while (member.next()) set(member.raw_key(), key_of(member, resolved), member.value());
  if (member.failed()) refuse_stored("state");
}

void State::apply(Fold fold, std::string_view data) {
  switch (fold) {
    case Fold::merge:
      return merge(data);
    case Fold::patch:
      return patch(data);
    case Fold::custom:
      return;
  }
}

State::Member* State::find(std::string_view key) {
  for (std::size_t i = hint_; i < members_.size(); ++i) {
    if (members_[i].key == key) return hint_ = i + 1, &members_[i];
  }
  for (std::size_t i = 0; i < std::min(hint_, members_.size()); ++i) {
    if (members_[i].key == key) return hint_ = i + 1, &members_[i];
  }
  return nullptr;
}

void State::set(std::string_view raw_key, std::string_view key, std::string_view value) {
  if (Member* member = find(key)) {
    member->value.assign(value);
  } else {
    members_.push_back(Member{std::string(raw_key), std::string(key), std::string(value)});
  }
}

void State::remove(std::string_view key) {
  std::erase_if(members_, [&](const Member& member) { return member.key == key; });
}

void State::merge(std::string_view data) {
  Members member(data);
  std::string resolved;
  while (member.next()) {
    if (member.value() == "null") continue;
    set(member.raw_key(), key_of(member, resolved), member.value());
  }
  if (member.failed()) refuse_stored("data");
}

/// RFC 7396, section 2.
void State::patch(std::string_view data) {
  Members member(data);
  std::string resolved;
  while (member.next()) {
    const std::string_view key = key_of(member, resolved);
    if (member.value() == "null") {
      remove(key);
    } else if (member.value().front() == '{') {
      const Member* old = find(key);
      const bool nested = old != nullptr && old->value.front() == '{';
      State inner(nested ? std::string_view(old->value) : "{}");
      inner.patch(member.value());
      set(member.raw_key(), key, inner.text());
    } else {
      set(member.raw_key(), key, member.value());
    }
  }
  if (member.failed()) refuse_stored("data");
}

std::string State::text() const {
  std::size_t size = 2;
  for (const Member& member : members_) size += member.raw_key.size() + member.value.size() + 4;
  std::string out;
  out.reserve(size);
  out += '{';
  for (const Member& member : members_) {
    if (out.size() > 1) out += ',';
    out += '"';
    out += member.raw_key;
    out += "\":";
    out += member.value;
  }
  out += '}';
  return out;
}

bool same_json(std::string_view a, std::string_view b) {
  if (a == b) return true;
  simdjson::dom::parser first;
  simdjson::dom::parser second;
  simdjson::dom::element left;
  simdjson::dom::element right;
  return first.parse(a.data(), a.size()).get(left) == simdjson::SUCCESS &&
         second.parse(b.data(), b.size()).get(right) == simdjson::SUCCESS &&
         same_element(left, right);
}

}  // namespace evercore::ext
