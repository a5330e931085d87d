// How much memory a process has held, by Linux's /proc.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace bench {

/// Megabytes of the field `name` of /proc/<process>/status: VmHWM is the most that was ever resident. `process` is
/// a number, or "self".
[[nodiscard]] double megabytes(const std::string& process, const std::string& name);

/// The number that `command` prints: its memory, which a process of its own has to itself. Throws where it prints none, or fails.
[[nodiscard]] double told_by(const std::string& command);

/// Looks every two milliseconds, until it is destroyed, how much memory a process has that is its alone: what a server's
/// process touches of the shared buffers is resident too, and says nothing.
class OwnMemory {
 public:
  explicit OwnMemory(std::string process);
  ~OwnMemory();
  OwnMemory(const OwnMemory&) = delete;
  OwnMemory& operator=(const OwnMemory&) = delete;

  /// Ends the looking; gives the most that was seen, in megabytes.
  double most();

 private:
  std::string process_;
  std::atomic<bool> stop_{false};
  double most_ = 0;
  std::thread looking_;
};

}  // namespace bench
