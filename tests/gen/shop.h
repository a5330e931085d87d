// A header with everything that evercoregen turns into code and views.
#ifndef SHOP_H
#define SHOP_H

#include <evercore/evercore.h>

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace shop {

enum class Colour { red, green };

struct Money {
  std::int64_t cents = 0;
  std::string currency;
};

// The event as it was at first: not marked, known through upcast().
struct OrderMoved1 {
  std::string address;
  static constexpr std::string_view event_type = "OrderMoved";
  static constexpr std::string_view aliases[] = {"OrderRelocated"};
};

// A type that json_value stores as a text, and one as a number.
class Sku {
 public:
  Sku() = default;
  explicit Sku(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  auto operator<=>(const Sku&) const = default;

 private:
  std::string text_;
};
enum class Rank : std::int64_t {};

}  // namespace shop

template <>
struct evercore::json_value<shop::Sku> {
  static const std::string& to_json(const shop::Sku& sku) { return sku.text(); }
  static shop::Sku from_json(const std::string& text) { return shop::Sku(text); }
};
template <>
struct evercore::json_value<shop::Rank> {
  static std::int64_t to_json(shop::Rank rank) { return static_cast<std::int64_t>(rank); }
  static shop::Rank from_json(std::int64_t number) { return shop::Rank{number}; }
};

namespace shop {

// Every kind of member there is.
// evercore:state-event Order
struct OrderPlaced {
  bool paid = false;
  std::int8_t tiny = 0;
  std::int64_t amount = 0;
  unsigned count = 0;
  double weight = 0;
  float rate = 0;
  std::string note;
  Colour colour = Colour::red;
  evercore::Time due{};
  std::chrono::sys_time<std::chrono::nanoseconds> exact{};
  std::optional<std::int64_t> discount;
  std::optional<Money> tip;
  Money price;
  std::vector<std::string> tags;
  std::array<int, 2> size{};
  std::map<std::string, double> extras;
  std::variant<std::monostate, std::string, Money> payment;
};

// evercore:state-event Order
// Comments may stand between the mark and its struct.
struct OrderMoved {
  std::string street;
  std::string city;
  static constexpr std::string_view event_type = "order's \"move\"";
  static constexpr std::string_view aliases[] = {"OrderMoved2",
                                                 "OrderMoved"
                                                 "3"};
  static OrderMoved upcast(const OrderMoved1& old) { return {old.address, ""}; }
};

// Names that SQL keeps for itself, or that the views have already.
// evercore:state-event Order
struct Select {
  std::string from;
  std::string user;
  std::string sequence;
  std::string naturalKey;
  std::string HTTPStatus;
  std::string größe;
};

// Members that have another name in JSON, and types of the program's own.
// evercore:state-event Order
struct Listed {
  std::string note;
  std::string class_;
  Sku sku;
  Rank rank{};
  std::map<Sku, int> stock;
  std::set<std::string> labels;
  std::pair<int, std::string> pair;
  std::chrono::minutes wait{};
  std::chrono::year_month_day day = std::chrono::year{2026} / 11 / 21;
  evercore::RawJson raw;
  static constexpr std::string_view json_names[][2] = {{"class_", "class"}, {"sku", "stock-unit"}};
  static constexpr std::string_view declared_tags[][2] = {{"it's", "sku"}, {"label", "labels"}};
  static constexpr std::string_view schema() { return evercore::schema_of<Listed>(); }
};

// evercore:event Order Account
struct Audited {
  std::string by;
};

// evercore:state-event shop::Account
struct AccountOpened {
  std::string owner;
};

struct Inside {
  // A struct of another one's, without members.
  // evercore:event Account
  struct Closed {};
};

// evercore:aggregate
struct Order {
  bool paid = false;
  std::int64_t amount = 0;
  double weight = 0;
  std::string note;
  evercore::Time due{};
  Money price;
  std::vector<std::string> tags;
  std::string street;
  std::string city;
  std::string sequence;
  int audits = 0;
  static constexpr std::string_view aggregate_type = "shop-order";
  void apply(const Audited&) { ++audits; }
  static constexpr std::string_view fold_rules(const Audited&) {
    return R"([{"add":{"/audits":{"value":1}}}])";
  }
};

// evercore:aggregate
struct Account {
  std::string owner;
  bool closed = false;
  int audits = 0;
  void apply(const Inside::Closed& event, const evercore::EventInfo& info);
  template <class Event>
  void apply(const Event&) requires std::is_same_v<Event, Audited> {
    ++audits;
  }
  static constexpr std::string_view fold_rules(const Audited& event) {
    return Order::fold_rules(event);
  }
  static constexpr std::string_view schema() {
    return evercore::schema_of<Account>(evercore::partial);
  }
};

#if 0
// evercore:event
#endif

inline void Account::apply(const Inside::Closed&, const evercore::EventInfo&) {
  closed = true;
}

}  // namespace shop

#endif  // SHOP_H
