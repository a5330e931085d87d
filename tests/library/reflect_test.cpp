// Reflection: names and counts of members, types and enums.
#include "evercore/reflect.h"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

enum class Status { open, paid, shipped = 5 };
enum class HttpCode { ok = 200, missing = 404 };
enum class Far { first = 5000, last = 5999 };
enum class OldFar { here = 7000 };
enum Unscoped { low, high = 5 };
enum class Signed : signed char { least = -128, below = -3, zero = 0, most = 127 };
enum class Bits : std::uint64_t { none, one = 1, some = 1U << 12, many = std::uint64_t{1} << 40 };
enum class Letter : char { comma = ',', angle = '<', z = 'z' };
enum class Switch : bool { off, on };
enum class Nothing : std::int64_t {};

struct Point {
  double x = 0;
  double y = 0;
};

struct Wide {
  std::string text;
  std::optional<int> maybe;
  std::vector<std::string> list;
  std::array<int, 3> three;
  std::map<std::string, int> ordered;
  std::unordered_map<std::string, std::vector<int>> hashed;
  std::variant<int, std::string> either;
  std::unique_ptr<int> owned;
  std::string_view view;
  Status status;
  Point point;
  bool is_active = true;
  std::chrono::system_clock::time_point when;
  std::optional<Point> somewhere;
  int trailing_;
  int größe;
  [[maybe_unused]] static constexpr int not_a_member = 1;
  int doubled() const { return trailing_ * 2; }
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
};

struct Needy {
  int before;
  struct Inner {
    explicit Inner(int start) : value(start) {}
    int value;
  } inner;
  int after;
};

struct Empty {};
struct Base {
  int x;
};
struct Derived : Base {
  int y;
};
struct Arrays {
  int before;
  int items[3];
};
template <class T>
struct Boxed {
  T value;
};

}  // namespace

template <>
struct evercore::enum_range<Far> {
  static constexpr int min = 5000, max = 5999;
};
template <>  // as it was called at first
struct evercore::reflect::enum_range<OldFar> {
  static constexpr int min = 7000, max = 7010;
};

namespace reflect = evercore::reflect;

TEST_CASE("members are counted and named in order of declaration") {
  CHECK(reflect::member_count<Wide> == 16);
  const auto& names = reflect::member_names<Wide>;
  CHECK(names[0] == "text");
  CHECK(names[8] == "view");
  CHECK(names[14] == "trailing_");
  CHECK(names[15] == "größe");
  CHECK(reflect::member_count<Empty> == 0);
  CHECK(reflect::member_count<Needy> == 3);
  CHECK(reflect::member_names<Tree>[1] == "children");
  struct Local {
    int inside;
  };
  CHECK(reflect::member_names<Local>[0] == "inside");
}

TEST_CASE("member references reach the object") {
  Point point{1, 2};
  std::get<1>(reflect::members(point)) = 5;
  CHECK(point.y == 5);
  CHECK(reflect::member_index<Point>("y") == 1);
  CHECK(reflect::member_index<Point>("z") == 2);
}

TEST_CASE("type names are as written in the source, without namespace and arguments") {
  struct Local {};
  CHECK(reflect::type_name<Wide>() == "Wide");
  CHECK(reflect::type_name<Local>() == "Local");
  CHECK(reflect::type_name<Status>() == "Status");
  CHECK(reflect::type_name<Boxed<Point>>() == "Boxed");
}

TEST_CASE("enums have names within their range") {
  CHECK(reflect::enum_name(Status::shipped) == "shipped");
  CHECK(reflect::enum_name(static_cast<Status>(3)) == "");
  CHECK(reflect::enum_name(static_cast<Status>(-1)) == "");
  CHECK(reflect::enum_name(static_cast<Status>(99)) == "");
  CHECK(reflect::enum_name(HttpCode::missing) == "missing");
  Status status{};
  CHECK(reflect::enum_from_name("paid", status));
  CHECK(status == Status::paid);
  CHECK_FALSE(reflect::enum_from_name("lost", status));
  CHECK_FALSE(reflect::enum_from_name("", status));
}

template <class E>
static std::string all_of() {
  std::string text;
  for (const auto& [value, name] : reflect::enumerators<E>) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" +
            std::to_string(static_cast<std::int64_t>(value));
  }
  return text;
}

TEST_CASE("enumerators are found whatever their type, spread and sign") {
  enum class Local { here = 3 };
  CHECK(all_of<HttpCode>() == "ok=200 missing=404");
  CHECK(all_of<Far>() == "first=5000 last=5999");
  CHECK(all_of<OldFar>() == "here=7000");
  CHECK(all_of<Unscoped>() == "low=0 high=5");
  CHECK(all_of<Signed>() == "least=-128 below=-3 zero=0 most=127");
  CHECK(all_of<Bits>() == "none=0 one=1 some=4096 many=1099511627776");
  CHECK(all_of<Letter>() == "comma=44 angle=60 z=122");
  CHECK(all_of<Switch>() == "off=0 on=1");
  CHECK(all_of<Local>() == "here=3");
  CHECK(all_of<Nothing>() == "");
  CHECK(reflect::enum_name(Bits::many) == "many");
  CHECK(reflect::enum_name(static_cast<Bits>(2)) == "");
  CHECK(reflect::enum_name(Signed::least) == "least");
}

TEST_CASE("base classes and C arrays are noticed") {
  CHECK(reflect::has_base<Derived>);
  CHECK_FALSE(reflect::has_base<Wide>);
  CHECK(reflect::has_array<Arrays>);
  CHECK_FALSE(reflect::has_array<Wide>);
}
