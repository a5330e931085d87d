#include "simulate/postgres/session.h"

#include <poll.h>

#include <sstream>
#include <stdexcept>

namespace evercore::simulate::postgres {

namespace {

constexpr Oid type_bool = 16, type_timestamptz = 1184;

/// 2026-11-21 22:10:41.5+00 as the surface writes it on SQLite.
std::string canonical_time(std::string text) {
  text.erase(text.size() - 3);  // +00
  text[10] = 'T';
  if (text.size() == 19) text += ".";
  text.resize(26, '0');
  return text + "Z";
}

std::string cell_of(const PGresult* result, int row, int column, const std::string& kinds) {
  if (PQgetisnull(result, row, column) != 0) return "NULL";
  std::string text = PQgetvalue(result, row, column);
  const Oid type = PQftype(result, column);
  const auto at = static_cast<std::size_t>(column);
  if (at < kinds.size() && kinds[at] == 'j') return canonical(parse_json(text));
  if (type == type_timestamptz) return canonical_time(text);
  if (type == type_bool) return text == "t" ? "1" : "0";
  return text;
}

}  // namespace

Rows comparable(const Call& call, Rows rows) {
  if (call.name != "evercore_subscriptions") return rows;
  for (std::string& row : rows) {
    std::size_t at = 0;
    for (int column = 0; column < 5; ++column) at = row.find('|', at) + 1;
    row.replace(at, row.find('|', at) - at, "-");
  }
  return rows;
}

std::string difference(const std::string& expected, const std::string& answered) {
  std::istringstream left(expected), right(answered);
  std::string one, other;
  for (int line = 1;; ++line) {
    const bool more = static_cast<bool>(std::getline(left, one)),
               too = static_cast<bool>(std::getline(right, other));
    if (!more) one = "(nothing)";
    if (!too) other = "(nothing)";
    if (one != other || (!more && !too))
      return "line " + std::to_string(line) + "\n--   expected " + one + "\n--   answered " + other;
  }
}

Session::Session(const std::string& uri) : connection_(PQconnectdb(uri.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  // Whoever waits is seen, and a circle of those who wait is broken, by the simulator.
  run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET deadlock_timeout = '1h'; SET search_path = "
      "evercore");
}

void Session::send(const std::string& sql, const std::string& kinds) {
  kinds_ = kinds;
  PQsendQuery(connection_.get(), sql.c_str());
}

std::optional<Reply> Session::answer(Session& witness) {
  PGconn* connection = connection_.get();
  const auto is_busy = [&] { return PQconsumeInput(connection) != 0 && PQisBusy(connection) != 0; };
  pollfd ready{PQsocket(connection), POLLIN, 0};
  while (is_busy()) {
    if (::poll(&ready, 1, 2) > 0) continue;
    const Reply blocked =
        witness.run("SELECT 1 WHERE pg_blocking_pids(" + std::to_string(pid()) + ") <> '{}'");
    if (!blocked.rows.empty() && is_busy()) return std::nullopt;
  }
  return take();
}

Reply Session::run(const std::string& sql, const std::string& kinds) {
  send(sql, kinds);
  return take();
}

/// All results of what was sent: the first failure, or the rows of the last that gave any.
Reply Session::take() {
  Reply reply;
  while (PGresult* result = PQgetResult(connection_.get())) {
    const auto status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
      reply.rows.clear();
      for (int row = 0; row < PQntuples(result); ++row) {
        std::string cells;
        for (int column = 0; column < PQnfields(result); ++column)
          cells += (column > 0 ? "|" : "") + cell_of(result, row, column, kinds_);
        reply.rows.push_back(cells);
      }
    } else if (status != PGRES_COMMAND_OK && reply.ok()) {
      const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
      const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
      reply.code = code == nullptr ? "08006" : code;
      reply.message = message == nullptr ? PQresultErrorMessage(result) : message;
    }
    PQclear(result);
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK && reply.ok()) reply.code = "08006";
  return reply;
}

void Session::cancel() {
  char error[256];
  PGcancel* request = PQgetCancel(connection_.get());
  PQcancel(request, error, sizeof error);
  PQfreeCancel(request);
}

bool Session::in_transaction() const {
  return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
}

}  // namespace evercore::simulate::postgres
