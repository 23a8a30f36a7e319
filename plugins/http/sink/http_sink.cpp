#include "http_sink.h"

#include <chrono>
#include <utility>

#include "../client/tls_stream.h"
#include "../tls_settings.h"

namespace weir::http::sink {
namespace {

using client::Clock;

std::string required_gateway_id(const sdk::Host& host) {
  if (host.gateway_id().empty())
    throw sdk::Failure(WEIR_E_UNSUPPORTED, "the host does not say its gateway_id");
  return std::string(host.gateway_id());
}

Clock::time_point instant(int64_t monotonic_ns) {
  return Clock::time_point(std::chrono::nanoseconds(monotonic_ns));
}

}  // namespace

HttpSink::Metrics::Metrics(const sdk::Host& host)
    : requests(host.declare(WEIR_METRIC_COUNTER, "requests_total", "HTTP requests that have ended")),
      failures(host.declare(WEIR_METRIC_COUNTER, "request_failures_total",
                            "HTTP requests without an answer, or with one that has them tried again")),
      rejected(host.declare(WEIR_METRIC_COUNTER, "events_rejected_total", "Events that the server has refused for good")),
      bytes_out(host.declare(WEIR_METRIC_COUNTER, "bytes_out_total", "Bytes of HTTP requests")),
      connections(host.declare(WEIR_METRIC_COUNTER, "connections_opened_total", "Connections opened to the server")),
      certificate_end(host.declare(WEIR_METRIC_GAUGE, "tls_certificate_not_after_seconds",
                                   "When the sink's own TLS certificate ends, Unix time; 0 without one")) {}

HttpSink::HttpSink(sdk::Host host, std::string_view config_text)
    : host_(host),
      config_(parse_config(config_text)),
      event_writer_(required_gateway_id(host), config_.fields),
      request_writer_(config_),
      metrics_(host),
      credentials_(load_credentials(config_.tls, "ca")) {
  config = &config_;
  writer = &request_writer_;
}

void HttpSink::prepare(int64_t) {
  client_ = std::make_unique<client::Client>(config_.url, connection_options(), [this](std::string_view trouble) {
    host_.log(WEIR_LOG_WARN, trouble);
  });
  client = client_.get();
  if (!credentials_) return;
  host_.set(metrics_.certificate_end, not_after(*credentials_->current()));
  client_->repeat(std::chrono::seconds(tls::ReloadingCredentials::kLookSeconds), [this] { look_at_certificates(); });
}

client::ConnectionOptions HttpSink::connection_options() {
  client::ConnectionOptions options;
  options.connect_timeout = config_.connect_timeout;
  if (credentials_) {
    options.make_stream = [this](boost::asio::io_context& io) {
      return client::make_tls_stream(io, credentials_->current(), config_.url.host);
    };
  }
  return options;
}

void HttpSink::look_at_certificates() {
  using Change = tls::ReloadingCredentials::Change;
  tls::Fault fault;
  const Change change = credentials_->look(&fault);
  if (change == Change::kNone) return;
  host_.set(metrics_.certificate_end, not_after(*credentials_->current()));
  const bool refused = change == Change::kRefused;
  host_.log(refused ? WEIR_LOG_ERROR : WEIR_LOG_INFO, replaced_text(*credentials_->current(), refused ? &fault : nullptr));
}

void HttpSink::start(int64_t) {
  client_->start();
  const std::lock_guard lock(mutex_);
  running_ = true;
}

weir_sink_limits HttpSink::limits() {
  return {config_.batch_events, config_.batch_bytes, config_.linger_ms, config_.requests_in_flight};
}

void HttpSink::submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) {
  DeliveryContext& context = *this;
  auto delivery = std::make_shared<Delivery>(context, token, OutgoingBatch(batch, event_writer_), instant(deadline_ns));
  const std::lock_guard lock(mutex_);
  if (!running_) throw sdk::Failure(WEIR_E_UNAVAILABLE, "the sink is not running");
  // The host keeps to limits(); a host that does not must not fill the memory.
  if (open_.size() >= config_.requests_in_flight) {
    throw sdk::Failure(WEIR_E_UNAVAILABLE, "as many batches as requests_in_flight allows are under way");
  }
  open_[token] = delivery;
  client_->post([delivery = std::move(delivery)] { delivery->start(); });
}

void HttpSink::cancel(uint64_t token) {
  std::shared_ptr<Delivery> delivery = take(token);
  if (!delivery) return;
  const std::lock_guard lock(mutex_);
  --completing_;
  finished_.notify_all();
  if (running_) client_->post([delivery = std::move(delivery)] { delivery->abandon(); });
}

// Whoever gets a delivery from here is the only one who may complete it.
std::shared_ptr<Delivery> HttpSink::take(uint64_t token) {
  const std::lock_guard lock(mutex_);
  auto found = open_.extract(token);
  if (found.empty()) return nullptr;
  ++completing_;
  return std::move(found.mapped());
}

void HttpSink::on_finished(uint64_t token, OutgoingBatch& batch) {
  if (!take(token)) return;  // cancelled
  host_.complete(token, batch.results());
  const std::lock_guard lock(mutex_);
  --completing_;
  finished_.notify_all();
}

void HttpSink::drain(int64_t deadline_ns) {
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return open_.empty() && completing_ == 0; };
  if (finished_.wait_until(lock, instant(deadline_ns), idle)) return;
  throw sdk::Failure(WEIR_E_TIMEOUT, "requests are still waiting for their answer");
}

void HttpSink::stop(int64_t) {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  if (!client_) return;
  client_->stop();
  // What is left over had no answer; nothing else runs any more.
  for (auto& [token, delivery] : std::exchange(open_, {})) {
    const weir_sink_result stopped{WEIR_RETRY, 0, 0, 0, sdk::text("the sink was stopped")};
    host_.complete(token, {&stopped, 1});
  }
  client_.reset();
}

sdk::Health HttpSink::health() {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) return {};
  return {WEIR_HEALTH_DEGRADED, config_.url.origin() + ": " + trouble_};
}

void HttpSink::on_request(const std::string& trouble) {
  host_.add(metrics_.requests, 1);
  if (!trouble.empty()) host_.add(metrics_.failures, 1);
  const uint64_t opened = client_->opened();
  host_.add(metrics_.connections, static_cast<double>(opened - std::exchange(opened_, opened)));
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(trouble_, trouble);
  }
  // What goes on is not said again: health and the consumer's failures show it.
  if (before.empty() && !trouble.empty()) host_.log(WEIR_LOG_WARN, config_.url.origin() + ": " + trouble);
  if (!before.empty() && trouble.empty()) host_.log(WEIR_LOG_INFO, config_.url.origin() + " takes events again");
}

void HttpSink::on_sent(size_t bytes) { host_.add(metrics_.bytes_out, static_cast<double>(bytes)); }
void HttpSink::on_rejected(size_t events) { host_.add(metrics_.rejected, static_cast<double>(events)); }

}  // namespace weir::http::sink
