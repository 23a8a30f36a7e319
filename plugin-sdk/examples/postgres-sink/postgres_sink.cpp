// postgres.sink: events into a PostgreSQL table. README.md says what it guarantees.
#include <mutex>
#include <nlohmann/json.hpp>

#include "event_rows.h"
#include "event_table.h"
#include "sqlstate.h"
#include "weir/plugin.hpp"

namespace postgres_sink {
namespace {

namespace sdk = weir::sdk;

constexpr char kSchema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "additionalProperties": false, "required": ["connection"],
  "properties": {
    "connection": { "type": "string", "minLength": 1,
                    "description": "As for libpq: host=db.example dbname=site user=weir password=${file:secrets/db}" },
    "table": { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)?$", "default": "events",
               "description": "A name, or schema.name; it is made when it is missing" }
  }
})json";

// submit(), prepare() and stop() never run at once, so the table needs no lock; health() may run beside them.
class PostgresSink final : public sdk::Sink {
 public:
  PostgresSink(sdk::Host host, std::string_view config)
      : PostgresSink(host, nlohmann::json::parse(config)) {}

  // A database that is away is no reason not to start: its events wait, and health says so.
  void prepare(int64_t deadline_ns) override {
    Trouble trouble;
    if (!table_.open(deadline_ns, &trouble)) note(trouble);
  }
  void stop(int64_t) override { table_.close(); }

  sdk::Health health() override {
    std::lock_guard lock(mutex_);
    return {trouble_.empty() ? uint32_t{WEIR_HEALTH_OK} : uint32_t{WEIR_HEALTH_DEGRADED}, trouble_};
  }

  // One connection, one statement at a time: events of a device stay in order.
  weir_sink_limits limits() override { return {1000, 4u << 20, 50, 1}; }

  void submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) override {
    outcomes_.assign(batch->count, {WEIR_DELIVERED, {}});
    store(batch, 0, batch->count, deadline_ns);
    results_.clear();
    for (const Outcome& outcome : outcomes_) {
      results_.push_back({outcome.outcome, 0, code_of(outcome.trouble.sqlstate), 0, sdk::text(outcome.trouble.text)});
    }
    host_.complete(token, results_);
  }

  // submit() completes its batch itself, and the server ends the statement by the deadline.
  void cancel(uint64_t) override {}

 private:
  struct Outcome {
    uint32_t outcome;
    Trouble trouble;
  };

  PostgresSink(sdk::Host host, const nlohmann::json& config)
      : host_(host),
        table_(config.at("connection").get<std::string>(), config.value("table", "events")),
        written_(host.declare(WEIR_METRIC_COUNTER, "rows_written_total", "Events written to the table")),
        known_(host.declare(WEIR_METRIC_COUNTER, "rows_known_total", "Events that were in the table already")) {
    if (host.gateway_id().empty()) throw sdk::Failure(WEIR_E_UNSUPPORTED, "the host does not say its gateway_id");
  }

  // Stores a range of the batch; where its data is refused, the halves of it, down to the row that is at fault.
  void store(const weir_batch* batch, uint32_t first, uint32_t count, int64_t deadline_ns) {
    Trouble trouble;
    uint64_t written = 0;
    if (table_.insert(event_rows(host_.gateway_id(), batch, first, count), deadline_ns, &written, &trouble)) {
      host_.add(written_, static_cast<double>(written));
      host_.add(known_, static_cast<double>(count - written));
      note({});
      return;
    }
    const bool refused = refuses_data(trouble.sqlstate);
    if (refused && count > 1) {
      store(batch, first, count / 2, deadline_ns);
      store(batch, first + count / 2, count - count / 2, deadline_ns);
      return;
    }
    if (!refused) note(trouble);
    if (!trouble.sqlstate.empty()) trouble.text = trouble.sqlstate + ": " + trouble.text;
    for (uint32_t i = first; i < first + count; ++i) {
      outcomes_[i] = {refused ? uint32_t{WEIR_REJECT} : uint32_t{WEIR_RETRY}, trouble};
    }
  }

  void note(const Trouble& trouble) {
    std::lock_guard lock(mutex_);
    trouble_ = trouble.text;
  }

  sdk::Host host_;
  EventTable table_;
  weir_metric written_, known_;
  std::vector<Outcome> outcomes_;          // of the batch at hand
  std::vector<weir_sink_result> results_;  // the same for the host; points into outcomes_
  std::mutex mutex_;
  std::string trouble_;
};

// The gateway's name is part of each row's key: without it there is no sink.
constexpr const char* kNeeds[] = {WEIR_DELIVERY, WEIR_GATEWAY, nullptr};
constexpr const char* kUses[] = {WEIR_METRICS, nullptr};

constexpr sdk::Registration postgres_sink() {
  auto registration = sdk::sink<PostgresSink>("postgres.sink", "Writes events to a PostgreSQL table, each once", kSchema,
                                              WEIR_CAP_NET);
  registration.descriptor.required = kNeeds;
  registration.descriptor.optional = kUses;
  return registration;
}

constexpr sdk::Registration kComponents[] = {postgres_sink()};

}  // namespace
}  // namespace postgres_sink

WEIR_PLUGIN(postgres_sink::kComponents)
WEIR_PLUGIN_NOTE("postgres", "1.0.0", "\"postgres.sink\":\"sink\"")
