// What the runners do about failures: waits that double and end early when a stop is asked for, and a
// limit to the attempts.
#ifndef EVERCORE_SRC_RETRY_H
#define EVERCORE_SRC_RETRY_H

#include "evercore/subscription.h"

namespace evercore::detail {

class Retry {
 public:
  explicit Retry(const SubscriptionOptions& options) : options_(options) {}

  void succeeded() noexcept { failures_ = outages_ = 0; }
  // Waits before the next attempt. Gives false, at once, when no attempt is left.
  bool failed();
  // Waits before the next look for a lost server, of which there are as many as it takes.
  void wait_for_server();
  // Waits for `longest`, or a request to stop.
  void wait(std::chrono::milliseconds longest) const;

 private:
  std::chrono::milliseconds doubled(int times) const;

  const SubscriptionOptions& options_;
  int failures_ = 0;
  int outages_ = 0;
};

// Throws argument_error for options that cannot be.
void require_valid(const SubscriptionOptions& options);

// The same options with no duration that the clocks could not count to.
SubscriptionOptions bounded(SubscriptionOptions options);

// What to say of an exception, in UTF-8.
std::string text_of(const std::exception_ptr& fault);

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_RETRY_H
