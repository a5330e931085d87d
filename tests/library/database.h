// Databases of PostgreSQL that the tests get for themselves: each a copy of one that holds a migrated
// store, which takes a tenth of the time of making a store anew.
#pragma once

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include "evercore/evercore.h"

namespace harness {

// A database that nobody used before; it is dropped at the end, whoever is still connected to it.
class Database {
 public:
  // server is a postgres:// URI of a superuser; the store, where one is wanted, is in the schema evercore.
  Database(std::string server, bool with_store) : server_(std::move(server)), name_(next_name()) {
    run("CREATE DATABASE " + name_ + copy_of(with_store ? store_template() : "template0"));
  }
  ~Database() {
    try {
      drop(name_);
    } catch (const std::exception&) {  // the server is down, and goes with its databases
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::string uri() const { return uri_of(name_); }

 private:
  static std::string next_name() {
    static std::atomic<int> count{0};
    return "t" + std::to_string(getpid()) + "_" + std::to_string(++count);
  }

  std::string uri_of(const std::string& name) const {
    const auto host = server_.find("://") + 3;
    const auto path = server_.find_first_of("/?", host);
    const auto options = server_.find('?', host);
    return server_.substr(0, path) + "/" + name +
           (options == server_.npos ? "" : server_.substr(options));
  }

  // Files are copied as they are where the server lets us say so: fast where nothing is synced.
  std::string copy_of(const std::string& source) const {
    return " TEMPLATE " + source +
           (PQserverVersion(connection().get()) >= 150000 ? " STRATEGY file_copy" : "");
  }

  const std::string& store_template() const {
    static const std::string name = [this] {
      const std::string made = next_name() + "_store";
      run("CREATE DATABASE " + made + copy_of("template0"));
      evercore::connect(uri_of(made));
      run("ALTER DATABASE " + made + " ALLOW_CONNECTIONS false");
      run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + made + "'");
      return made;
    }();
    return name;
  }

  using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
  Connection connection() const {
    Connection made(PQconnectdb(server_.c_str()), &PQfinish);
    if (PQstatus(made.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(made.get()));
    return made;
  }
  void run(const std::string& sql) const {
    const auto server = connection();
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(server.get(), sql.c_str()),
                                                               &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw std::runtime_error(sql + ": " + PQerrorMessage(server.get()));
  }
  void drop(const std::string& name) const { run("DROP DATABASE " + name + " WITH (FORCE)"); }

  std::string server_;
  std::string name_;
};

}  // namespace harness
