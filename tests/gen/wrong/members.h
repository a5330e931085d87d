#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct Inner {
  std::string_view text;
  std::vector<Inner> more;
};

// evercore:event
struct Opened {
  int* pointer;
  std::unique_ptr<int> owner;
  std::string_view view;
  char letter;
  long double exact;
  int list[3];
  const int fixed = 1;
  unsigned bits : 3;
  std::chrono::duration<double> wait;
  std::multiset<int> all;
  std::map<int, int> by_number;
  std::optional<std::optional<int>> nothing;
  std::vector<std::vector<char>> deep;
  std::variant<std::string, int*> either;
  std::chrono::steady_clock::time_point clock;
  std::optional<Inner> inner;
  int& reference;
  std::wstring wide;
  union {
    int first;
  };
  int $money;
};

struct Base {};
// evercore:event
struct Derived : Base {
  Derived();
  virtual void change();

 private:
  int secret;
};
// 12:20: member text is a std::string_view, which does not own its text; use std::string
// 18:8: member pointer is a pointer, which cannot be stored; use the value itself, or std::optional of it where it may be missing
// 19:24: member owner is a pointer, which cannot be stored; use the value itself, or std::optional of it where it may be missing
// 20:20: member view is a std::string_view, which does not own its text; use std::string
// 21:8: member letter is a character, which is neither text nor a number; use std::string, or std::int8_t for a small number
// 22:15: member exact is a long double, which cannot be stored exactly; use double
// 23:7: member list is a C array; use std::array or std::vector
// 24:13: member fixed is const, so that it cannot be decoded into; drop the const
// 25:12: member bits is a bit-field, which cannot be reflected; use std::uint8_t or bool
// 26:33: member wait is a duration that is not of integers; use one that is, such as std::chrono::nanoseconds
// 27:22: member all has a type that is not a plain struct; use a plain struct, or bool, an integer, double, std::string, an enum, std::chrono::sys_time, std::optional, vector, array, map or variant of such, or say by evercore::json_value how it is stored
// 28:22: member by_number is a map whose keys cannot be member names; use std::string or an enum
// 29:37: member nothing is an optional of an optional, with two kinds of nothing; use one optional
// 30:34: member deep is a character, which is neither text nor a number; use std::string, or std::int8_t for a small number
// 31:35: member either is a pointer, which cannot be stored; use the value itself, or std::optional of it where it may be missing
// 32:41: member clock has a type that is not a plain struct; use a plain struct, or bool, an integer, double, std::string, an enum, std::chrono::sys_time, std::optional, vector, array, map or variant of such, or say by evercore::json_value how it is stored
// 34:8: member reference is a reference, which cannot be stored; use the value itself
// 35:16: member wide has a type that is not a plain struct; use a plain struct, or bool, an integer, double, std::string, an enum, std::chrono::sys_time, std::optional, vector, array, map or variant of such, or say by evercore::json_value how it is stored
// 36:3: nobody knows which member of a union is set; use std::variant
// 39:7: member $money has a $ in its name, which SQL's paths into JSON do not allow
// 44:18: Derived has a base class, which cannot be reflected; make the base a member
// 45:3: Derived has a constructor, so it is not a plain struct; initialise members where they are declared
// 46:16: Derived has a virtual function, so it is not a plain struct
// 49:7: member secret is not public; make all members public
