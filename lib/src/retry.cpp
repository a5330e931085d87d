#include "retry.h"

#include <algorithm>

#include "evercore/error.h"
#include "evercore/watch.h"

namespace evercore::detail {

std::chrono::milliseconds Retry::doubled(int times) const {
  auto pause = options_.first_wait;
  for (int i = 0; i < times && pause < options_.longest_wait; ++i) pause *= 2;
  return std::min(pause, std::max(options_.first_wait, options_.longest_wait));
}

bool Retry::failed() {
  if (++failures_ >= options_.attempts) return false;
  wait(doubled(failures_ - 1));
  return true;
}

void Retry::wait_for_server() {
  wait(doubled(outages_++));
}

void Retry::wait(std::chrono::milliseconds longest) const {
  Signal never;
  std::uint64_t seen = 0;
  never.wait(seen, longest, options_.stop);
}

void require_valid(const SubscriptionOptions& options) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw argument_error(std::string("EV009: ") + what);
  };
  using std::chrono::milliseconds;
  require(options.batch_size >= 1, "batch_size is less than 1");
  require(options.lease > milliseconds{0}, "lease is not longer than 0");
  require(options.lease <= std::chrono::hours{24}, "lease is longer than a day");
  require(options.poll_shortest > milliseconds{0}, "poll_shortest is not longer than 0");
  require(options.poll_longest >= options.poll_shortest,
          "poll_longest is shorter than poll_shortest");
  require(options.attempts >= 1, "attempts is less than 1");
  require(options.first_wait >= milliseconds{0}, "first_wait is negative");
}

std::string text_of(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace evercore::detail
