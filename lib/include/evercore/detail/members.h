// The members of a plain struct as a tuple of references, by structured bindings: the language has
// no way to write this once for every count, so there is one branch a count.
//
// The branches are a table, which clang-format would make five times as long. Forty were enough for what
// people put into one event; each more costs every program that includes this a little time, and a struct
// of more is refused with a sentence (kinds.h).
#ifndef EVERCORE_DETAIL_MEMBERS_H
#define EVERCORE_DETAIL_MEMBERS_H

#include <cstddef>
#include <tuple>

#include "evercore/detail/language.h"

namespace evercore::detail {

inline constexpr std::size_t max_members = 40;

// clang-format off
template <std::size_t Count, class T>
constexpr auto tie_members(T& object) noexcept {
  if constexpr (Count == 0) {
    return std::tuple<>{};
  } else if constexpr (Count == 1) {
    auto& [m1] = object;
    return std::tie(m1);
  } else if constexpr (Count == 2) {
    auto& [m1,m2] = object;
    return std::tie(m1,m2);
  } else if constexpr (Count == 3) {
    auto& [m1,m2,m3] = object;
    return std::tie(m1,m2,m3);
  } else if constexpr (Count == 4) {
    auto& [m1,m2,m3,m4] = object;
    return std::tie(m1,m2,m3,m4);
  } else if constexpr (Count == 5) {
    auto& [m1,m2,m3,m4,m5] = object;
    return std::tie(m1,m2,m3,m4,m5);
  } else if constexpr (Count == 6) {
    auto& [m1,m2,m3,m4,m5,m6] = object;
    return std::tie(m1,m2,m3,m4,m5,m6);
  } else if constexpr (Count == 7) {
    auto& [m1,m2,m3,m4,m5,m6,m7] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7);
  } else if constexpr (Count == 8) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8);
  } else if constexpr (Count == 9) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9);
  } else if constexpr (Count == 10) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10);
  } else if constexpr (Count == 11) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11);
  } else if constexpr (Count == 12) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12);
  } else if constexpr (Count == 13) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13);
  } else if constexpr (Count == 14) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14);
  } else if constexpr (Count == 15) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15);
  } else if constexpr (Count == 16) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16);
  } else if constexpr (Count == 17) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17);
  } else if constexpr (Count == 18) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18);
  } else if constexpr (Count == 19) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19);
  } else if constexpr (Count == 20) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20);
  } else if constexpr (Count == 21) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21);
  } else if constexpr (Count == 22) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22);
  } else if constexpr (Count == 23) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23);
  } else if constexpr (Count == 24) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24);
  } else if constexpr (Count == 25) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25);
  } else if constexpr (Count == 26) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26);
  } else if constexpr (Count == 27) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27);
  } else if constexpr (Count == 28) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28);
  } else if constexpr (Count == 29) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29);
  } else if constexpr (Count == 30) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30);
  } else if constexpr (Count == 31) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31);
  } else if constexpr (Count == 32) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32);
  } else if constexpr (Count == 33) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33);
  } else if constexpr (Count == 34) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34);
  } else if constexpr (Count == 35) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35);
  } else if constexpr (Count == 36) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36);
  } else if constexpr (Count == 37) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37);
  } else if constexpr (Count == 38) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38);
  } else if constexpr (Count == 39) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38,m39] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38,m39);
  } else if constexpr (Count == 40) {
    auto& [m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38,m39,m40] = object;
    return std::tie(m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38,m39,m40);
  }
}
// clang-format on

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_MEMBERS_H
