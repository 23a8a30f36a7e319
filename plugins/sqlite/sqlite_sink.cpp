#include "sqlite_sink.h"

namespace weir::sqlite {
namespace {

// More than 1,000 rows a transaction gained little when measured (281k events/s at 1,000, 336k at 5,000), and
// it keeps the write lock, which a reader's program may want, for a few milliseconds only.
constexpr uint32_t kMaxBatchEvents = 1000;
// One transaction about as long as the WAL grows before it is checkpointed (1,000 pages of 4 KiB).
constexpr uint32_t kMaxBatchBytes = 4u << 20;
// Each commit is a flush of the disk. A twentieth of a second is not noticed by who reads a file, and 20
// flushes a second are kind to flash.
constexpr uint32_t kLingerMs = 50;
constexpr uint32_t kUnknownTypeCode = 1;

std::string required_gateway_id(const sdk::Host& host) {
  if (host.gateway_id().empty())
    throw sdk::Failure(WEIR_E_UNSUPPORTED, "the host does not say its gateway_id");
  return std::string(host.gateway_id());
}

}  // namespace

SqliteSink::SqliteSink(sdk::Host host, std::string_view config)
    : host_(host),
      database_(parse_config(config), required_gateway_id(host)),
      rows_written_(host.declare(WEIR_METRIC_COUNTER, "rows_written_total", "Events written to the table")),
      rows_known_(host.declare(WEIR_METRIC_COUNTER, "rows_known_total",
                               "Events that were in the table already, delivered again after a failure")) {}

void SqliteSink::prepare(int64_t deadline_ns) {
  Trouble trouble;
  if (database_.open(deadline_ns, trouble)) return;
  const bool hopeless = trouble.kind == Trouble::Kind::kMisconfigured;
  throw sdk::Failure(hopeless ? WEIR_E_INVALID : WEIR_E_UNAVAILABLE, trouble.text, "/path");
}

void SqliteSink::stop(int64_t) { database_.close(); }

sdk::Health SqliteSink::health() {
  std::lock_guard lock(health_mutex_);
  return health_;
}

void SqliteSink::set_health(uint32_t state, std::string text) {
  std::lock_guard lock(health_mutex_);
  health_ = {state, std::move(text)};
}

weir_sink_limits SqliteSink::limits() {
  // One batch in flight: SQLite has one writer.
  return {kMaxBatchEvents, kMaxBatchBytes, kLingerMs, 1};
}

void SqliteSink::submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) {
  const uint32_t count = batch->count;  // after a cancel() the batch is not ours to read
  database_.expect_batch();
  current_token_ = token;
  Trouble trouble;
  if (database_.insert(batch, deadline_ns, refused_, trouble)) {
    host_.add(rows_written_, static_cast<double>(database_.rows_written()));
    host_.add(rows_known_, static_cast<double>(count - refused_.size() - database_.rows_written()));
    set_health(WEIR_HEALTH_OK, "");
    complete(token, count, {WEIR_DELIVERED, 0, 0, 0, {}});
  } else {
    const bool passing = trouble.kind == Trouble::Kind::kPassing;
    set_health(passing ? WEIR_HEALTH_DEGRADED : WEIR_HEALTH_FAILED, trouble.text);
    complete(token, count, {WEIR_RETRY, 0, 0, 0, sdk::text(trouble.text)});
  }
}

void SqliteSink::complete(uint64_t token, uint32_t count, const weir_sink_result& outcome) {
  if (refused_.empty()) {
    host_.complete(token, {&outcome, 1});
    return;
  }
  results_.assign(count, outcome);
  rejections_.clear();
  rejections_.reserve(refused_.size());  // results_ points into it
  for (const Refused& refused : refused_) {
    rejections_.push_back("value type " + std::to_string(refused.value_type) +
                          " is not known to this version of sqlite.sink; a newer one may store it");
    results_[refused.index] = {WEIR_REJECT, 0, kUnknownTypeCode, 0, sdk::text(rejections_.back())};
  }
  host_.complete(token, results_);
}

void SqliteSink::cancel(uint64_t token) {
  if (token == current_token_) database_.cancel();
}

}  // namespace weir::sqlite
