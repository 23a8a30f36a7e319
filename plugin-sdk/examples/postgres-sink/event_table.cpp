#include "event_table.h"

#include <algorithm>
#include <chrono>

namespace postgres_sink {
namespace {

// What the host leaves us is a little more than what we leave the server: the answer has to travel.
constexpr int64_t kMarginMs = 100;
// Connects as the configuration says, and as this says where it says nothing: a server that is gone without a word is to
// be noticed after seconds, not after the kernel's quarter of an hour. dbname may be a whole connection string or URI,
// and what stands in it comes later and wins.
PGconn* connect(const std::string& connection) {
  const char* names[] = {"fallback_application_name", "connect_timeout", "tcp_user_timeout", "keepalives_idle", "dbname", nullptr};
  const char* values[] = {"weir", "3", "10000", "10", connection.c_str(), nullptr};
  return PQconnectdbParams(names, values, /*expand_dbname=*/1);
}

int64_t milliseconds_left(int64_t deadline_ns) {
  const int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  return (deadline_ns - now) / 1'000'000;
}

// "name" or "schema.name", each part in quotes: the configuration's schema lets no quote through.
std::string quoted(const std::string& table) {
  const size_t dot = table.find('.');
  if (dot == std::string::npos) return '"' + table + '"';
  return '"' + table.substr(0, dot) + "\".\"" + table.substr(dot + 1) + '"';
}

std::string one_line(const char* message) {
  std::string text = message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

EventTable::EventTable(std::string connection, const std::string& table)
    : connection_text_(std::move(connection)),
      create_("CREATE TABLE IF NOT EXISTS " + quoted(table) +
              " (gateway_id text, epoch text, sequence bigint, part integer, id uuid, device_id text NOT NULL,"
              " \"timestamp\" bigint, received_at bigint, sensor_type text NOT NULL, value jsonb, unit text,"
              " metadata jsonb, trace_id text, PRIMARY KEY (gateway_id, epoch, sequence, part))"),
      insert_("INSERT INTO " + quoted(table) +
              " (gateway_id, epoch, sequence, part, id, device_id, \"timestamp\", received_at, sensor_type, value, unit,"
              " metadata, trace_id)"
              " SELECT gateway_id, epoch, sequence, part, id, device_id, \"timestamp\", received_at, sensor_type, value,"
              " unit, metadata, trace_id FROM json_to_recordset($1::json) AS row(gateway_id text, epoch text,"
              " sequence bigint, part integer, id uuid, device_id text, \"timestamp\" bigint, received_at bigint,"
              " sensor_type text, value jsonb, unit text, metadata jsonb, trace_id text)"
              " ON CONFLICT DO NOTHING") {}

bool EventTable::succeeded(const Answer& answer, Trouble* trouble) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return true;
  const char* sqlstate = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(answer.get(), PG_DIAG_MESSAGE_PRIMARY);
  trouble->sqlstate = sqlstate != nullptr ? sqlstate : "";
  trouble->text = one_line(message != nullptr ? message : PQerrorMessage(connection_.get()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) close();
  return false;
}

// The server ends the statement in time; the host gets its answer by the deadline without a second thread.
bool EventTable::limit_time(int64_t deadline_ns, Trouble* trouble) {
  const int64_t left = milliseconds_left(deadline_ns) - kMarginMs;
  if (left <= 0) {
    *trouble = {"", "no time is left for a statement"};
    return false;
  }
  const std::string limit = "SET statement_timeout = " + std::to_string(left);
  return succeeded(Answer(PQexec(connection_.get(), limit.c_str())), trouble);
}

bool EventTable::open(int64_t deadline_ns, Trouble* trouble) {
  if (connection_ != nullptr) return true;
  connection_.reset(connect(connection_text_));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    *trouble = {"", one_line(PQerrorMessage(connection_.get()))};
    close();
    return false;
  }
  // Else the server's "already exists" would go to standard error each time.
  const char* quiet = "SET client_min_messages = warning";
  const bool usable = succeeded(Answer(PQexec(connection_.get(), quiet)), trouble) && limit_time(deadline_ns, trouble) &&
                      succeeded(Answer(PQexec(connection_.get(), create_.c_str())), trouble);
  if (!usable) close();
  return usable;
}

bool EventTable::insert(const std::string& rows, int64_t deadline_ns, uint64_t* written, Trouble* trouble) {
  *written = 0;
  if (!open(deadline_ns, trouble) || !limit_time(deadline_ns, trouble)) return false;
  const char* parameters[] = {rows.c_str()};
  const Answer answer(
      PQexecParams(connection_.get(), insert_.c_str(), 1, nullptr, parameters, nullptr, nullptr, /*resultFormat=*/0));
  if (!succeeded(answer, trouble)) return false;
  *written = std::stoull(PQcmdTuples(answer.get()));
  return true;
}

}  // namespace postgres_sink
