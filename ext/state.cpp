#include "state.h"

#include <simdjson.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "error.h"
#include "json.h"

namespace evercore::ext {

namespace {

constexpr std::size_t few_members = 16;  // they are found as fast one after the other

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

State::State(std::string_view object) : unread_(trim(object)) {
  if (unread_ == "{}") {
    unread_.clear();
    return;
  }
  std::size_t compact = 1;  // with a comma for each member but one, and the braces
  Members member(unread_);
  while (member.next()) {
    ++work_;
    compact += member.raw_key().size() + member.value().size() + 4;
  }
  if (member.failed()) refuse_stored("state");
  if (compact != unread_.size()) open();  // to be spelled as states are
}

/// Takes the members out of the text.
void State::open() {
  if (unread_.empty()) return;
  const std::string text = std::move(unread_);
  unread_.clear();
  Members member(text);
  std::string resolved;
  while (member.next()) set(member.raw_key(), key_of(member, resolved), member.value());
  if (member.failed()) refuse_stored("state");
}

void State::apply(Fold fold, std::string_view data) {
  if (fold == Fold::custom) return;
  if (!unread_.empty()) open();
  if (fold == Fold::merge) return merge(data);
  Members member(data);
  patch(member, 1);
  if (member.failed()) refuse_stored("data");
}

State::Member* State::find(std::string_view key) {
  if (hint_ < members_.size()) {
    Member& next = members_[hint_];
    ++work_;
    if (next.key() == key && !next.gone) return ++hint_, &next;
  }
  if (!index_.empty()) return find_by_index(key);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    ++work_;
    if (members_[i].key() == key && !members_[i].gone) return hint_ = i + 1, &members_[i];
  }
  return nullptr;
}

State::Member* State::find_by_index(std::string_view key) {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t slot = std::hash<std::string_view>()(key) & mask; index_[slot] != 0;
       slot = (slot + 1) & mask) {
    const std::size_t place = index_[slot] - 1;
    ++work_;
    if (members_[place].key() == key && !members_[place].gone) {
      return hint_ = place + 1, &members_[place];
    }
  }
  return nullptr;
}

void State::put_in_index(std::size_t place) {
  const std::size_t mask = index_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(members_[place].key()) & mask;
  while (index_[slot] != 0) slot = (slot + 1) & mask;
  index_[slot] = static_cast<std::uint32_t>(place + 1);
}

void State::build_index() {
  std::size_t size = 4 * few_members;
  while (size < 4 * members_.size()) size *= 2;
  index_.assign(size, 0);
  for (std::size_t i = 0; i < members_.size(); ++i) put_in_index(i);
  work_ += members_.size();
}

State::Member& State::add(std::string_view raw_key, std::string_view key) {
  Member& member = members_.emplace_back();
  ++work_;
  member.raw_key = raw_key;
  if (key != raw_key) member.resolved = key;
  hint_ = members_.size();
  if (!index_.empty() && 2 * members_.size() <= index_.size()) {
    put_in_index(members_.size() - 1);
  } else if (members_.size() > few_members) {
    build_index();
  }
  return member;
}

State::Member& State::at(std::string_view raw_key, std::string_view key) {
  Member* member = find(key);
  return member != nullptr ? *member : add(raw_key, key);
}

void State::Member::set(std::string_view text) {
  if (value.size() == text.size()) {
    text.copy(value.data(), text.size());  // mostly it is as long as the last one
  } else {
    value.assign(text);
  }
  if (inner) inner.reset();
}

void State::Member::append(std::string_view element) {
  if (!value.starts_with('[')) return;
  value.pop_back();
  const bool empty = trim(value) == "[";
  if (!empty) value += ',';
  value += element;
  value += ']';
}

void State::set(std::string_view raw_key, std::string_view key, std::string_view value) {
  at(raw_key, key).set(value);
}

/// Takes the next member of a merge where it is the one that stood there in the event before.
bool State::set_expected(Members& member) {
  if (hint_ == members_.size()) hint_ = 0;
  if (members_.empty() || members_[hint_].gone) return false;
  Member& expected = members_[hint_];
  if (!member.next_key_is(expected.raw_key)) return false;
  ++work_;
  ++hint_;
  if (member.take_value() && member.value() != "null") expected.set(member.value());
  return true;
}

void State::remove(std::string_view key) {
  Member* member = find(key);
  if (member != nullptr) remove(*member);
}

void State::remove(Member& member) {
  member.gone = true;
  member.value = {};
  member.inner.reset();
  if (++gone_ > few_members && 2 * gone_ > members_.size()) drop_gone();
}

void State::drop_gone() {
  work_ += members_.size();
  std::erase_if(members_, [](const Member& member) { return member.gone; });
  gone_ = 0;
  hint_ = 0;
  index_.clear();
  if (members_.size() > few_members) build_index();
}

void State::merge(std::string_view data) {
  Members member(data);
  std::string resolved;
  for (;;) {
    if (set_expected(member)) continue;
    if (!member.next()) break;
    if (member.value() == "null") continue;
    set(member.raw_key(), key_of(member, resolved), member.value());
  }
  if (member.failed()) refuse_stored("data");
}

/// The object that a member is, made where it is something else.
State& State::inner_of(Member& member) {
  if (!member.inner) {
    member.inner.reset(new State);
    if (member.value.starts_with('{')) member.inner->unread_ = std::move(member.value);
    member.value = {};
  }
  member.inner->open();
  return *member.inner;
}

/// RFC 7396, section 2. Walks the patch once, whatever its depth.
void State::patch(Members& member, int depth) {
  if (depth > max_depth) refuse_stored("data");
  std::string resolved;
  while (member.next_key()) {
    const std::string_view key = key_of(member, resolved);
    if (member.at_object()) {
      State& inner = inner_of(at(member.raw_key(), key));
      Members changes = member.inside();
      inner.patch(changes, depth + 1);
      member.leave(changes);
    } else if (!member.take_value()) {
      return;
    } else if (member.value() == "null") {
      remove(key);
    } else {
      set(member.raw_key(), key, member.value());
    }
  }
}

std::size_t State::length() const {
  if (!unread_.empty()) return unread_.size();
  std::size_t size = 2;
  for (const Member& member : members_) {
    if (member.gone) continue;
    size += member.raw_key.size() + 4;
    size += member.inner ? member.inner->length() : member.value.size();
  }
  return size;
}

void State::write(std::string& out) const {
  if (!unread_.empty()) {
    out += unread_;
    return;
  }
  out += '{';
  bool first = true;
  for (const Member& member : members_) {
    if (member.gone) continue;
    if (!first) out += ',';
    first = false;
    out += '"';
    out += member.raw_key;
    out += "\":";
    if (member.inner) {
      member.inner->write(out);
    } else {
      out += member.value;
    }
  }
  out += '}';
}

std::string State::text() const {
  std::string out;
  out.reserve(length());
  write(out);
  return out;
}

std::size_t State::work() const {
  std::size_t sum = work_;
  for (const Member& member : members_) {
    if (member.inner) sum += member.inner->work();
  }
  return sum;
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
