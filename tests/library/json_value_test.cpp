// What a member may be beside the plain kinds: types of the program's own by json_value, sets, pairs,
// tuples, durations, dates, raw JSON, and members that have another name in JSON.
#include <doctest/doctest.h>

#include <filesystem>

#include "harness.h"

using namespace evercore;
using harness::fault_of;
using harness::Fresh;

namespace {

class Uuid {
 public:
  Uuid() = default;
  explicit Uuid(std::string text) : text_(std::move(text)) {
    if (text_.size() != 4) throw std::invalid_argument("not four digits");
  }
  const std::string& text() const { return text_; }
  auto operator<=>(const Uuid&) const = default;

 private:
  std::string text_ = "0000";
};

struct Money {
  std::int64_t cents = 0;
  std::string currency = "EUR";
  bool operator==(const Money&) const = default;
};

enum class UserId : std::int64_t {};
struct Point {
  int x = 0, y = 0;
  bool operator==(const Point&) const = default;
};
// Not a struct that can be reflected, stored as one.
class Place {
 public:
  Place() = default;
  explicit Place(Point at) : at_(at) {}
  Point at() const { return at_; }
  bool operator==(const Place&) const = default;

 private:
  Point at_;
};

}  // namespace

template <>
struct evercore::json_value<Uuid> {
  static const std::string& to_json(const Uuid& id) { return id.text(); }
  static Uuid from_json(const std::string& text) { return Uuid(text); }
};
template <>
struct evercore::json_value<Money> {
  static std::string to_json(const Money& money) {
    return std::to_string(money.cents) + ' ' + money.currency;
  }
  static Money from_json(std::string_view text) {
    const auto blank = text.find(' ');
    if (blank == text.npos) throw std::invalid_argument("no currency");
    return {std::stoll(std::string(text.substr(0, blank))), std::string(text.substr(blank + 1))};
  }
};
template <>
struct evercore::json_value<UserId> {
  static std::int64_t to_json(UserId id) { return static_cast<std::int64_t>(id); }
  static UserId from_json(std::int64_t number) { return UserId{number}; }
};
template <>
struct evercore::json_value<Place> {
  static Point to_json(const Place& place) { return place.at(); }
  static Place from_json(Point at) { return Place(at); }
};
template <>
struct evercore::json_value<std::filesystem::path> {
  static std::string to_json(const std::filesystem::path& path) { return path.string(); }
  static std::filesystem::path from_json(std::string text) { return text; }
};

namespace {

struct Everything {
  Uuid id;
  std::optional<Uuid> maybe;
  std::vector<Uuid> ids;
  std::map<Uuid, int> counts;
  std::variant<int, Uuid, Money> either;
  Money price;
  UserId user{};
  Place place;
  std::filesystem::path path;
  std::set<int> numbers;
  std::set<Uuid> id_set;
  std::pair<int, std::string> pair;
  std::tuple<bool, Uuid, std::vector<int>> three;
  std::tuple<> none;
  std::chrono::seconds seconds{};
  std::chrono::nanoseconds fine{};
  std::chrono::hours hours{};
  std::chrono::days days{};
  std::chrono::year_month_day day = std::chrono::year{2026} / 11 / 21;
  RawJson raw;
  bool operator==(const Everything&) const = default;
};

template <class T>
std::string decoding_fault(std::string_view text) {
  return fault_of<decode_error>([&] { decode<T>(text); });
}

}  // namespace

TEST_CASE(
    "types of the program's own, sets, tuples, durations and dates are stored and read back") {
  Everything e;
  CHECK(decode<Everything>(encode(e)) == e);
  CHECK(decode<Everything>("{}") == e);
  e.id = Uuid("1234");
  e.maybe = Uuid("5678");
  e.ids = {Uuid("0001"), Uuid("0002")};
  e.counts = {{Uuid("0003"), 7}};
  e.either = Money{250, "USD"};
  e.price = {-1, "EUR"};
  e.user = UserId{42};
  e.place = Place({3, 4});
  e.path = "/var/lib";
  e.numbers = {3, 1, 2};
  e.id_set = {Uuid("0005"), Uuid("0004")};
  e.pair = {1, "one"};
  e.three = {true, Uuid("0006"), {1, 2}};
  e.seconds = std::chrono::seconds{90};
  e.fine = std::chrono::nanoseconds{-250'000'001};
  e.hours = std::chrono::hours{-2};
  e.days = std::chrono::days{1};
  e.day = std::chrono::year{1} / 2 / 3;
  e.raw.text = R"({"a":[1,2.5,null,true,"q\"\n"],"b":18446744073709551615,"c":{}})";
  const std::string text = encode(e);
  CHECK(text ==
        R"({"id":"1234","maybe":"5678","ids":["0001","0002"],"counts":{"0003":7},)"
        R"("either":{"Money":"250 USD"},"price":"-1 EUR","user":42,"place":{"x":3,"y":4},)"
        R"("path":"/var/lib","numbers":[1,2,3],"id_set":["0004","0005"],"pair":[1,"one"],)"
        R"("three":[true,"0006",[1,2]],"none":[],"seconds":"PT90S","fine":"PT-0.250000001S",)"
        R"("hours":"PT-7200S","days":"PT86400S","day":"0001-02-03",)"
        R"("raw":{"a":[1,2.5,null,true,"q\"\n"],"b":18446744073709551615,"c":{}}})");
  CHECK(decode<Everything>(text) == e);
  e.raw.text = " [ 1 ] \n";
  CHECK(decode<Everything>(encode(e)).raw.text == "[1]");
}

TEST_CASE("what does not fit a type of the program's own names its field") {
  const auto fault = [](std::string_view text) { return decoding_fault<Everything>(text); };
  CHECK(fault(R"({"id":"12"})") == "field \"id\": not four digits");
  CHECK(fault(R"({"id":1234})") == "field \"id\": expected a string, found an integer");
  CHECK(fault(R"({"ids":["1234","12"]})") == "field \"ids[1]\": not four digits");
  CHECK(fault(R"({"counts":{"12":1}})") == "field \"counts.12\": not four digits");
  CHECK(fault(R"({"either":{"Money":"1"}})") == "field \"either.Money\": no currency");
  CHECK(fault(R"({"place":{"x":"1"}})") ==
        "field \"place.x\": expected an integer, found a string");
  CHECK(fault(R"({"numbers":[1,2,1]})") == "field \"numbers[2]\": is in the set already");
  CHECK(fault(R"({"pair":[1]})") == "field \"pair\": expected 2 elements, found 1");
  CHECK(fault(R"({"none":[1]})") == "field \"none\": expected 0 elements, found 1");
  CHECK(fault(R"({"three":[true,"12",[]]})") == "field \"three[1]\": not four digits");
  CHECK(fault(R"({"three":[true,"1234",[],4,5]})") ==
        "field \"three\": expected 3 elements, found 5");
  CHECK(fault(R"({"day":"2026-02-29"})") ==
        "field \"day\": \"2026-02-29\" is not a date such as 2026-11-21");
  CHECK(fault(R"({"day":5})") == "field \"day\": expected a date, found an integer");
  for (const char* bad : {"90s", "PTS", "PT1", "PT+1S", "PT1.S", "PT.5S", "PT1.1234567891S", "P1D",
                          "PT--1S", "PT99999999999999999999S"}) {
    CHECK(fault(R"({"seconds":")" + std::string(bad) + R"("})") ==
          "field \"seconds\": \"" + std::string(bad) + "\" is not a duration such as PT1.5S");
  }
  CHECK(fault(R"({"seconds":"PT1.5S"})") ==
        "field \"seconds\": the duration is finer than the member can hold");
  CHECK(fault(R"({"hours":"PT1800S"})") ==
        "field \"hours\": the duration is finer than the member can hold");
  CHECK(fault(R"({"fine":"PT99999999999S"})") == "field \"fine\": the duration is out of range");
}

TEST_CASE("what a type of the program's own cannot be written as is refused") {
  Everything e;
  e.raw.text = R"(1,"id":"9999")";
  CHECK_THROWS_AS(encode(e), payload_error);
  e.raw.text = "";
  CHECK_THROWS_AS(encode(e), payload_error);
  e.raw = {};
  e.day = std::chrono::year{2026} / 2 / 30;
  CHECK_THROWS_AS(encode(e), payload_error);
  e.day = std::chrono::year{0} / 2 / 3;
  CHECK_THROWS_AS(encode(e), payload_error);
  e.day = std::chrono::year{2026} / 2 / 3;
  e.hours = std::chrono::hours::max();
  CHECK_THROWS_AS(encode(e), payload_error);
}

namespace {

struct Registered {
  std::string user_name;
  int class_ = 0;
  std::optional<std::set<std::string>> tags{};
  static constexpr std::string_view json_names[][2] = {{"user_name", "user-name"},
                                                       {"class_", "class"}};
  static constexpr std::string_view required[] = {"user_name"};
};
struct Promoted {
  int class_ = 0;
  std::optional<Money> salary{};
  static constexpr std::string_view json_names[][2] = {{"class_", "class"}};
};
struct Member {
  std::string name;
  int class_ = 0;
  std::set<std::string> tags;
  Money salary;
  static constexpr std::string_view json_names[][2] = {{"name", "user-name"}, {"class_", "class"}};
};
using MemberAggregate = StateAggregate<Member, Registered, Promoted>;

}  // namespace

TEST_CASE("a member is stored under the name that json_names gives it") {
  CHECK(encode(Registered{"ann", 3}) == R"({"user-name":"ann","class":3})");
  CHECK(decode<Registered>(R"({"class":4,"user-name":"bo"})").class_ == 4);
  CHECK(decoding_fault<Registered>(R"({"user_name":"bo"})") ==
        "field \"user-name\": is required and missing");
  CHECK(decoding_fault<Registered>(R"({"user-name":5})") ==
        "field \"user-name\": expected a string, found an integer");
}

TEST_CASE("state events fold by the names in JSON, in C++ and in SQL") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto member = ctx.create<MemberAggregate>();
    member.apply(Registered{"ann", 1, std::set<std::string>{"a", "b"}});
    member.apply(Promoted{2, Money{100, "EUR"}});
    CHECK(member->name == "ann");
    ctx.save_snapshot(member);
    return member.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    for (const auto& loaded :
         {ctx.load<MemberAggregate>(id), ctx.load_at<MemberAggregate>(id, 2)}) {
      CHECK(loaded->name == "ann");
      CHECK(loaded->class_ == 2);
      CHECK(loaded->tags.size() == 2);
      CHECK(loaded->salary == Money{100, "EUR"});
    }
    const Member sql = decode<Member>(ctx.state(id));
    CHECK(sql.name == "ann");
    CHECK(sql.class_ == 2);
    CHECK(sql.salary == Money{100, "EUR"});
    CHECK(decode_event<Registered>(ctx.events(id).at(0))->user_name == "ann");
  });
}

// A program's own functions of the library's names are not called in its place.
namespace mine {
struct Noted {
  std::string text;
};
struct Notes {
  std::string text;
};
template <class T>
std::string encode(const T&) {
  return "mine";
}
template <class... T>
void encode_value(T&&...) {}
template <class... T>
void decode_value(T&&...) {}
template <class... T>
void encode_struct(T&&...) {}
template <class... T>
void members(T&&...) {}
template <class... T>
void apply(T&&...) {}
}  // namespace mine

TEST_CASE("functions of the program with the library's names do not get in its way") {
  Fresh store;
  store->with_context([](Context& ctx) {
    auto notes = ctx.create<StateAggregate<mine::Notes, mine::Noted>>();
    ctx.apply(notes, mine::Noted{"x"});
    CHECK(notes->text == "x");
    ctx.save_snapshot(notes);
  });
  CHECK(store->follow(0).at(0).data == R"({"text":"x"})");
}
