// Points in time as evercore keeps them: UTC with microseconds, years 1 to 9999. Leap seconds are
// not counted. All functions here may be called on any thread.
//
//   evercore::Time time;
//   if (!evercore::parse_time("2026-11-21 23:10:41.5+01:00", time)) return;
//   evercore::format_time(time);                          // "2026-11-21T22:10:41.500000Z"
//   const bool over = time + std::chrono::hours{1} < evercore::now();
#ifndef EVERCORE_TIME_H
#define EVERCORE_TIME_H

#include <chrono>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore {

// The time of an event: microseconds since 1970-01-01, below 0 before. Any std::chrono::sys_time of
// microseconds or coarser converts to it; a finer one by
// std::chrono::floor<std::chrono::microseconds>.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// The time by this machine's clock, which somebody may set back: later calls may give less.
Time now() noexcept;

// "2026-11-21T22:10:41.123456Z": always 27 characters, in UTC, so that texts sort as the times do.
// It is what the surface on SQLite stores. Throws argument_error outside the years 1 to 9999.
std::string format_time(Time time);

// Reads the times that the SQL surface takes, as evercore_time() does: YYYY-MM-DD[Thh:mm[:ss[.1–9
// digits]][Z|±hh[[:]mm]|±hh:mm:ss]], a blank or t for the T, z for the Z; digits after the sixth
// are cut, and without an offset it is UTC. A day alone is its first moment.
//
// Gives false for anything else and leaves `time` alone: for a day or an hour that is none, such as
// 2026-02-29, 24:00 or a second 60, for blanks around it, for an offset of 16 hours and more, and
// where the offset carries it out of the years 1 to 9999.
bool parse_time(std::string_view text, Time& time) noexcept;

namespace detail {

// The same to the nanosecond, for members of events: seconds since 1970 and the nanoseconds after
// them, nothing cut. The text has six digits of fraction, or nine where microseconds would lose
// something. `nanoseconds` are 0 to 999,999,999, before 1970 too.
std::string format_seconds(std::chrono::sys_seconds seconds, int nanoseconds);
bool parse_seconds(std::string_view text, std::chrono::sys_seconds& seconds,
                   int& nanoseconds) noexcept;

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_TIME_H
