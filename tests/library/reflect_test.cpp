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
  static constexpr int not_a_member = 1;
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
struct evercore::reflect::enum_range<HttpCode> {
  static constexpr int min = 200, max = 404;
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

TEST_CASE("base classes and C arrays are noticed") {
  CHECK(reflect::has_base<Derived>);
  CHECK_FALSE(reflect::has_base<Wide>);
  CHECK(reflect::has_array<Arrays>);
  CHECK_FALSE(reflect::has_array<Wide>);
}
