#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

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

}  // namespace

Server::Server() : uri_(variable("EVERCORE_TEST_POSTGRES")) {
  const int file = ::open(variable("EVERCORE_CLOCK").c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = ::mmap(nullptr, sizeof *clock_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) throw std::runtime_error("the clock's file does not open");
  clock_ = static_cast<std::int64_t*>(mapped);
  Session(uri_).run("CREATE DATABASE pattern");
  shell("sql/install '" + uri_of("pattern") + "'");
}

Server::~Server() {
  ::munmap(clock_, sizeof *clock_);
}

std::string Server::uri_of(const std::string& database) const {
  const std::string before = uri_.substr(0, uri_.find("/postgres?"));
  return before + "/" + database + uri_.substr(uri_.find('?'));
}

std::string Server::make_store() {
  Session session(uri_);
  for (const char* sql :
       {"DROP DATABASE IF EXISTS store WITH (FORCE)", "CREATE DATABASE store TEMPLATE pattern"}) {
    const Reply reply = session.run(sql);
    if (!reply.ok()) throw std::runtime_error(reply.message);
  }
  return uri_of("store");
}

void Server::set_clock(Number microseconds) {
  __atomic_store_n(clock_, microseconds, __ATOMIC_SEQ_CST);
}

void Server::crash() {
  const std::string as = ::geteuid() == 0 ? "cd / && runuser -u postgres -- " : "";
  const std::string data = variable("EVERCORE_SERVER_DATA");
  const std::string control = variable("EVERCORE_SERVER_BIN") + "/pg_ctl -s -w -t 600 -D " + data;
  shell(as + control + " -m immediate stop");
  // pg_ctl takes a server whose start is long ago for the one before, and waits for another.
  const Number now = __atomic_exchange_n(clock_, 0, __ATOMIC_SEQ_CST);
  shell(as + "env LD_PRELOAD=" + variable("EVERCORE_CLOCK_LIBRARY") + " " + control + " -l " +
        data + "/../log start >/dev/null");
  set_clock(now);
}

}  // namespace evercore::simulate::postgres
