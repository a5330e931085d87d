#include "processors.h"

#include <sys/times.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace bench {

namespace {

double ticks_to_seconds(double ticks) {
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Of all processors, in ticks: user, nice and system.
double busy_ticks() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0;
  file >> name >> user >> nice >> system;
  return user + nice + system;
}

/// Of one process and of those children of it that have ended; 0 where it is no PostgreSQL server's.
double server_ticks(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  if (line.find("(postgres)") == std::string::npos) return 0;
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0, ended_user = 0, ended_system = 0;
  fields >> user >> system >> ended_user >> ended_system;
  return user + system + ended_user + ended_system;
}

double all_server_ticks() {
  double ticks = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) ticks += server_ticks(entry);
  }
  return ticks;
}

}  // namespace

ForeignLoad::Seconds ForeignLoad::now() {
  tms own{};
  times(&own);
  const auto ticks =
      static_cast<double>(own.tms_utime + own.tms_stime + own.tms_cutime + own.tms_cstime);
  const auto clock = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(clock).count(), ticks_to_seconds(busy_ticks()),
          ticks_to_seconds(ticks + all_server_ticks())};
}

double ForeignLoad::since_last() {
  constexpr double least = 0.05;  // several rows of one question are reported together
  const Seconds here = now();
  if (here.clock - last_.clock < least) return load_;
  const Seconds before = std::exchange(last_, here);
  const double others = (last_.busy - before.busy) - (last_.ours - before.ours);
  load_ = std::max(0.0, others / (last_.clock - before.clock));
  return load_;
}

}  // namespace bench
