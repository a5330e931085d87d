#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "simulate/postgres/world.h"

namespace evercore::simulate::postgres {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set: run tests/simulate/postgres/run");
  return value;
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

/// A command of the server's user: the server does not run as root.
std::string as_server(const std::string& command) {
  return ::geteuid() == 0 ? "cd / && runuser -u postgres -- " + command : command;
}

std::string program(const std::string& name) {
  return variable("EVERCORE_SERVER_BIN") + "/" + name;
}

}  // namespace

Server::Server() {
  const std::string uri = variable("EVERCORE_TEST_POSTGRES"), host = "?host=";
  const std::string home = uri.substr(uri.find(host) + host.size());
  place_ = {variable("EVERCORE_SERVER_DATA"), home};
  other_ = {home + "/other", home + "/beside"};
  shell(as_server("mkdir " + other_.socket));
  const int file = ::open(variable("EVERCORE_CLOCK").c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = ::mmap(nullptr, sizeof *clock_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) throw std::runtime_error("the clock's file does not open");
  clock_ = static_cast<std::int64_t*>(mapped);
  make_pattern();
}

void Server::make_pattern() {
  Session session(uri_of("postgres"));
  session.run("DROP DATABASE IF EXISTS pattern");
  session.run("CREATE DATABASE pattern");
  Session(uri_of("pattern")).run("CREATE EXTENSION amcheck SCHEMA public");
  shell("sql/install '" + uri_of("pattern") + "'");
  // tests/native/with_module puts its functions in.
  if (const char* command = std::getenv("EVERCORE_AFTER_INSTALL"))
    shell(std::string(command) + " '" + uri_of("pattern") + "'");
  pattern_is_old_ = false;
}

/// The server that with_server started and knows is stopped by it, the other one here.
Server::~Server() {
  remove_standby();
  if (place_.data != variable("EVERCORE_SERVER_DATA")) {
    [[maybe_unused]] const int done =
        std::system((control(place_) + " -m immediate stop 2>/dev/null").c_str());
  }
  ::munmap(clock_, sizeof *clock_);
}

std::string Server::uri_of(const std::string& database) const {
  return "postgres://postgres@/" + database + "?host=" + place_.socket;
}

std::string Server::control(const Place& place) const {
  return as_server(program("pg_ctl") + " -s -w -t 600 -D " + place.data);
}

/// Nobody follows this server by then: who is tried next begins alone.
void Server::make_store() {
  remove_standby();
  if (pattern_is_old_) make_pattern();
  Session session(uri_of("postgres"));
  for (const char* sql :
       {"DROP DATABASE IF EXISTS store WITH (FORCE)", "CREATE DATABASE store TEMPLATE pattern"}) {
    const Reply reply = session.run(sql);
    if (!reply.ok()) throw std::runtime_error(reply.message);
  }
}

void Server::set_clock(Number microseconds) {
  __atomic_store_n(clock_, microseconds, __ATOMIC_SEQ_CST);
}

void Server::start(const Place& place) {
  // pg_ctl takes a server whose start is long ago for the one before, and waits for another.
  const Number now = __atomic_exchange_n(clock_, 0, __ATOMIC_SEQ_CST);
  const std::string preload = "env LD_PRELOAD=" + variable("EVERCORE_CLOCK_LIBRARY") + " ";
  shell(as_server(preload + program("pg_ctl") + " -s -w -t 600 -D " + place.data + " -l " +
                  place.socket + "/log start >/dev/null"));
  set_clock(now);
}

void Server::crash() {
  shell(control(place_) + " -m immediate stop");
  start(place_);
}

/// One that streams, so that a commit may wait for it.
void Server::make_standby() {
  shell(as_server("rm -rf " + other_.data));
  shell(as_server(program("pg_basebackup") + " --no-sync -R -c fast -U postgres -h " +
                  place_.socket + " -D " + other_.data));
  shell("echo \"unix_socket_directories = '" + other_.socket + "'\" >>" + other_.data +
        "/postgresql.conf");
  start(other_);
  Session session(uri_of("postgres"));
  while (session.run("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").rows.empty())
    ::usleep(1000);
  has_standby_ = true;
}

void Server::remove_standby() {
  if (!has_standby_) return;
  shell(control(other_) + " -m immediate stop");
  has_standby_ = false;
}

void Server::fail_over() {
  shell(control(place_) + " -m immediate stop");
  shell(control(other_) + " promote");
  std::swap(place_, other_);
  has_standby_ = false;
  pattern_is_old_ = true;
}

std::string Server::damage() const {
  const std::string command = program("pg_amcheck") + " --heapallindexed -U postgres -h " +
                              place_.socket + " -d store 2>&1";
  FILE* said = ::popen(command.c_str(), "r");
  std::string text;
  for (int c = std::fgetc(said); c != EOF; c = std::fgetc(said)) text += static_cast<char>(c);
  return ::pclose(said) == 0 ? "" : "pg_amcheck: " + text;
}

}  // namespace evercore::simulate::postgres
