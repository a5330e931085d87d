// One libpq connection with prepared statements, as the PostgreSQL bench programs use it. Not shared between threads.
#pragma once
#include <libpq-fe.h>

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

class Session {
 public:
  explicit Session(const std::string& conninfo)
      : connection_(PQconnectdb(conninfo.c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    run("SET search_path = evercore, public; SET client_min_messages = warning");
  }

  Result run(const std::string& sql) { return checked(PQexec(connection_.get(), sql.c_str())); }

  void prepare(const std::string& name, const std::string& sql) {
    checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
  }

  Result execute(const std::string& name, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    for (const auto& one : parameters) values.push_back(one.c_str());
    return checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                  values.data(), nullptr, nullptr, 0));
  }

 private:
  Result checked(PGresult* raw) {
    Result result(raw, &PQclear);
    const auto status = PQresultStatus(raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    return result;
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

inline long long number(const Result& result, int row, int column) {
  return std::stoll(PQgetvalue(result.get(), row, column));
}

}  // namespace bench
