#include "retry.h"

#include <simdjson.h>

#include <algorithm>

#include "evercore/error.h"
#include "evercore/watch.h"

namespace evercore::detail {

namespace {

// A question mark for each byte that is no text: the store would refuse the whole.
std::string as_utf8(std::string_view text) {
  constexpr std::size_t longest = 4;
  std::string valid;
  while (!text.empty()) {
    std::size_t size = 1;
    while (size <= std::min(longest, text.size()) && !simdjson::validate_utf8(text.data(), size)) {
      ++size;
    }
    const bool found = size <= std::min(longest, text.size());
    valid += found ? text.substr(0, size) : "?";
    text.remove_prefix(found ? size : 1);
  }
  return valid;
}

}  // namespace

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

SubscriptionOptions bounded(SubscriptionOptions options) {
  constexpr std::chrono::milliseconds longest = std::chrono::years{10};
  for (auto* duration : {&options.renew_for, &options.poll_shortest, &options.poll_longest,
                         &options.first_wait, &options.longest_wait}) {
    *duration = std::min(*duration, longest);
  }
  return options;
}

std::string text_of(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& known) {
    return as_utf8(known.what());
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace evercore::detail
