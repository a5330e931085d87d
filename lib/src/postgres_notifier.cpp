#include "postgres_notifier.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "evercore/error.h"

namespace evercore::detail {

namespace {

constexpr std::chrono::milliseconds between_notifications{5};
constexpr std::chrono::seconds between_connects{1};
constexpr Statement notify{"SELECT pg_catalog.pg_notify($1, '')", "t"};

// Channel names have at most 63 bytes, as the names of schemas do.
std::string channel_of(const std::string& schema) {
  return "evercore_" + fingerprint(schema);
}

}  // namespace

PostgresNotifier::PostgresNotifier(const PostgresOptions& options, Signal& signal)
    : options_(options), signal_(signal), channel_(channel_of(options.schema)) {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) throw engine_error("no pipe can be made", {});
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    close(pipe_[0]);
    close(pipe_[1]);
    throw engine_error("no thread can be started", {});
  }
}

PostgresNotifier::~PostgresNotifier() {
  stopping_ = true;
  wake();
  thread_.join();
  close(pipe_[0]);
  close(pipe_[1]);
}

void PostgresNotifier::wake() noexcept {
  const char byte = 0;
  // A full pipe wakes as well.
  [[maybe_unused]] const auto written = write(pipe_[1], &byte, 1);
}

void PostgresNotifier::appended() noexcept {
  if (!pending_.exchange(true)) wake();
}

void PostgresNotifier::listen() noexcept {
  if (!wants_to_listen_.exchange(true)) wake();
}

// How long there is nothing to do but to wait for something to happen; -1: for ever.
int PostgresNotifier::wait_milliseconds() const {
  const bool sends = pending_;
  const bool connects = !session_ && (sends || wants_to_listen_);
  if (!sends && !connects) return -1;
  const auto due = connects ? next_connect_ : next_send_;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

void PostgresNotifier::work() {
  while (!stopping_) {
    pollfd sources[2] = {{pipe_[0], POLLIN, 0}, {session_ ? session_->socket() : -1, POLLIN, 0}};
    poll(sources, 2, wait_milliseconds());
    char bytes[64];
    while (read(pipe_[0], bytes, sizeof bytes) > 0) {
    }
    if (stopping_) break;
    try {
      serve();
    } catch (...) {
      // The connection is lost. Runners poll until there is another.
      session_.reset();
      next_connect_ = std::chrono::steady_clock::now() + between_connects;
    }
  }
  say_last_word();
}

// What has come up: a connection to make, words to take in, a word to send.
void PostgresNotifier::serve() {
  const auto now = std::chrono::steady_clock::now();
  if (!session_) {
    if ((!pending_ && !wants_to_listen_) || now < next_connect_) return;
    session_ = std::make_unique<PostgresSession>(options_);
    listens_ = false;
  }
  if (wants_to_listen_ && !listens_) {
    // Behind a pooling proxy words would come to whoever has the server's connection then.
    if (!session_->is_pooled()) session_->execute_script("LISTEN " + channel_);
    listens_ = true;
    signal_.raise();  // what was said before has not been heard
  }
  if (pending_ && now >= next_send_) {
    next_send_ = now + between_notifications;
    send();
  }
  // At the end: what others said while we spoke has left the socket, which will not show it.
  if (session_->take_notifications()) signal_.raise();
}

void PostgresNotifier::send() {
  pending_ = false;
  try {
    session_->run(Command(notify, {std::string_view(channel_)}));
  } catch (...) {
    pending_ = true;
    throw;
  }
}

// A program may append and end at once.
void PostgresNotifier::say_last_word() noexcept {
  if (!pending_ || (!session_ && std::chrono::steady_clock::now() < next_connect_)) return;
  try {
    if (!session_) session_ = std::make_unique<PostgresSession>(options_);
    send();
  } catch (...) {
    // Others find it by polling.
  }
}

}  // namespace evercore::detail
