// Points in time as evercore keeps them: UTC with microseconds, years 1 to 9999.
#ifndef EVERCORE_TIME_H
#define EVERCORE_TIME_H

#include <chrono>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore {

// The time of an event. Any std::chrono::sys_time of microseconds or coarser converts to it.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// The machine's time now.
Time now() noexcept;

// "2026-11-21T22:10:41.123456Z". Throws argument_error outside the years 1 to 9999.
std::string format_time(Time time);

// Reads the times that the SQL surface takes, as evercore_time() does:
// YYYY-MM-DD[Thh:mm[:ss[.1–9 digits]][Z|±hh[[:]mm]|±hh:mm:ss]], a blank or t for the T, z for the Z;
// digits after the sixth are cut, and without an offset it is UTC. Gives false for anything else and
// leaves `time` alone.
bool parse_time(std::string_view text, Time& time) noexcept;

namespace detail {

// The same to the nanosecond, for members of events: seconds since 1970 and the nanoseconds after
// them, nothing cut. The text has six digits of fraction, or nine where microseconds would lose something.
std::string format_seconds(std::chrono::sys_seconds seconds, int nanoseconds);
bool parse_seconds(std::string_view text, std::chrono::sys_seconds& seconds,
                   int& nanoseconds) noexcept;

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_TIME_H
