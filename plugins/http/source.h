// http.source: events by POST /v1/events, answered when they are safe.
//
// Threads: the control thread leads the life; the server's thread parses, emits and answers; host threads
// call settled() and credit(). Parser and batch belong to the server's thread, what crosses is under `mutex_`
// or atomic.
#pragma once

#include <pistache/http.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "config.h"
#include "config_schema.h"
#include "events_request.h"
#include "mapped_route.h"
#include "receipt.h"
#include "server.h"
#include "settlements.h"
#include "tls_settings.h"
#include "weir/mapping/event_json.h"
#include "weir/plugin.hpp"
#include "weir/tls/refusal_log.h"

namespace weir::http {

static_assert(kBodyPadding >= mapping::kJsonPadding);

// Clients waiting to be accepted. A swap leaves them in this queue, so it is long.
inline constexpr uint32_t kBacklog = 4096;
// After a longer body the parser's working memory is given back.
inline constexpr size_t kKeptBody = 256 * 1024;

struct SourceMetrics {
  explicit SourceMetrics(const sdk::Host& host)
      : requests(host.declare(WEIR_METRIC_COUNTER, "requests_total", "HTTP requests answered")),
        rejected(host.declare(WEIR_METRIC_COUNTER, "rejected_total",
                              "HTTP requests answered with a status of 400 or more")),
        connections(host.declare(WEIR_METRIC_GAUGE, "connections", "HTTP connections open")),
        bytes_in(host.declare(WEIR_METRIC_COUNTER, "bytes_in_total", "Bytes received over HTTP")),
        refused_handshakes(host.declare(WEIR_METRIC_COUNTER, "tls_handshakes_refused_total",
                                        "TLS handshakes that came to nothing")),
        certificate_end(host.declare(WEIR_METRIC_GAUGE, "tls_certificate_not_after_seconds",
                                     "When the TLS certificate in use ends, Unix time; 0 without TLS")) {}
  weir_metric requests, rejected, connections, bytes_in, refused_handshakes, certificate_end;
};

class HttpSource final : public sdk::Source, private Handler {
 public:
  HttpSource(sdk::Host host, std::string_view config)
      : host_(host), config_(parse_config(config)), metrics_(host), credentials_(load_credentials(config_.tls, "client_ca")) {
    if (!config_.mapping.empty()) mapped_.emplace(config_.mapping);
  }

  void prepare(int64_t) override {
    if (credentials_) host_.set(metrics_.certificate_end, not_after(*credentials_->current()));
    const int fd = host_.listen(WEIR_SOCKET_TCP, config_.listen, kBacklog);
    try {
      server_ =
          std::make_unique<Server>(config_.server, static_cast<Handler&>(*this), fd, std::move(credentials_));
    } catch (...) {
      ::close(fd);
      throw;
    }
  }

  void start(int64_t) override {
    {
      const std::lock_guard lock(mutex_);
      running_ = true;
    }
    server_->start();
    host_.log(WEIR_LOG_INFO, std::string("takes events at http") + (config_.tls ? "s" : "") + "://" +
                                 config_.listen + "/v1/events" + (mapped_ ? " and " + mapped_->path() : ""));
  }

  void pause(int64_t) override {
    if (server_) server_->pause();
  }
  void resume(int64_t) override {
    if (server_) server_->resume();
  }

  void drain(int64_t deadline_ns) override {
    const std::chrono::steady_clock::time_point deadline{std::chrono::nanoseconds(deadline_ns)};
    if (server_ && !server_->drain(deadline)) {
      throw sdk::Failure(WEIR_E_TIMEOUT, "requests are still waiting for their settlement");
    }
  }

  void stop(int64_t) override {
    {
      const std::lock_guard lock(mutex_);
      running_ = false;
    }
    server_.reset();
  }

  sdk::Health health() override {
    const size_t open = connections_.load(std::memory_order_relaxed);
    if (open < config_.server.max_connections) return {};
    return {WEIR_HEALTH_DEGRADED, std::to_string(open) + " connections are open and max_connections is " +
                                      std::to_string(config_.server.max_connections)};
  }

  // [host thread]
  void settled(std::span<const weir_settlement> settlements) override {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    for (const weir_settlement& settlement : settlements) inbox_.add(settlement);
    if (std::exchange(woken_, true)) return;
    server_->post([this] { answer_settled(); });
  }

  // [host thread]
  void credit(uint64_t events, uint64_t bytes) override {
    has_credit_.store(events > 0 && bytes > 0, std::memory_order_relaxed);
  }

 private:
  // --- the server's thread ---
  void handle(const Request& request, uint64_t id) override {
    answer(request, id);
    if (request.body.size() <= kKeptBody) return;
    parser_ = mapping::EventParser();
    if (mapped_) mapped_->forget();
    batch_.emplace();
  }

  void answer(const Request& request, uint64_t id) {
    Route route;
    if (const auto refusal = find_route(request.head, &route)) {
      const bool mapped = refusal->status == 404 && mapped_ && mapped_->match(request.head.resource());
      return mapped ? handle_mapped(request, id) : refuse(id, *refusal);
    }
    if (route == Route::kHealth) return server_->respond(id, {200, "{\"status\":\"ok\"}\n", {}});
    if (const auto refusal = check_content_type(request.head)) return refuse(id, *refusal);
    if (!may_take(request, id)) return;
    mapping::ParseFault fault;
    if (!parser_.parse_padded(request.body, *batch_, &fault)) {
      return refuse_event(id, fault.index, fault.field, fault.message);
    }
    take_events(request, id);
  }

  // Devices send their JSON as all sorts of types, or as none.
  void handle_mapped(const Request& request, uint64_t id) {
    if (request.head.method() != Pistache::Http::Method::Post) {
      return refuse(id, {405, "method_not_allowed", "send events with POST", "Allow: POST\r\n"});
    }
    if (!may_take(request, id)) return;
    mapping::PayloadFault fault;
    if (!mapped_->parse(request.body, host_.wall_ns(), *batch_, &fault)) {
      const std::string where = fault.pointer.empty() ? "" : fault.pointer + ": ";
      return refuse(id, {400, "cannot_map", where + fault.message, {}});
    }
    if (batch_->count() != 0) return take_events(request, id);
    format_receipt({}, &receipt_);
    server_->respond(id, {202, receipt_, {}});
  }

  // False when the request is answered.
  bool may_take(const Request& request, uint64_t id) {
    if (const auto refusal = read_events_request(request.head, &events_request_)) return refuse(id, *refusal), false;
    if (!has_credit_.load(std::memory_order_relaxed)) return refuse(id, busy("", kCreditRetryMs)), false;
    return true;
  }

  // Emits what is in batch_.
  void take_events(const Request& request, uint64_t id) {
    mark_events(request.subject);
    char message[256] = "";
    weir_emit_result result{};
    result.message = message;
    result.message_capacity = sizeof message;
    switch (host_.emit(batch_->finish(), id, &result)) {
      case WEIR_ACCEPTED:
        return;  // answered when it is settled
      case WEIR_BUSY:
        return refuse(id, busy(message, result.retry_after_ms));
      case WEIR_INVALID:
        return refuse_event(id, result.index, result.field, message);
      default:
        return refuse(id,
                      {500, "internal_error", "the gateway gave no answer; the events were not taken", {}});
    }
  }

  // What the request's headers and its client's certificate say about all of its events.
  void mark_events(std::string_view subject) {
    const weir_ref key = batch_->text(events_request_.idempotency_key);
    const auto& parent = events_request_.trace_parent;
    for (uint32_t i = 0; i < batch_->count(); ++i) {
      weir_event_v1& event = batch_->event(i);
      event.dedupe_key = key;
      if (!subject.empty()) batch_->authenticated(i, subject);
      if (!parent) continue;
      std::copy(parent->trace_id.begin(), parent->trace_id.end(), event.trace_id);
      std::copy(parent->parent_span.begin(), parent->parent_span.end(), event.parent_span);
    }
  }

  void answer_settled() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = false;
      std::swap(inbox_, outbox_);
    }
    outbox_.for_each([this](const weir_settlement& settlement) { answer(settlement); });
    outbox_.clear();
  }

  void answer(const weir_settlement& settlement) {
    if (settlement.state != WEIR_DURABLE) {
      return refuse(settlement.token, {503, "not_stored", "the events could not be stored; send them again",
                                       retry_after(settlement.retry_after_ms)});
    }
    format_receipt({settlement.count,
                    settlement.duplicates,
                    settlement.epoch,
                    settlement.first_sequence,
                    {settlement.ids, settlement.count}},
                   &receipt_);
    server_->respond(settlement.token, {202, receipt_, {}});
  }

  static Refusal busy(std::string_view why, uint32_t retry_after_ms) {
    std::string message = "the gateway is full for now; send the events again after Retry-After";
    if (!why.empty()) message.append(" (").append(why).append(")");
    return {503, "busy", std::move(message), retry_after(retry_after_ms)};
  }

  void refuse(uint64_t id, const Refusal& refusal) {
    server_->respond(id, {refusal.status, error_body(refusal), refusal.headers});
  }

  void refuse_event(uint64_t id, uint32_t index, std::string_view field, std::string_view message) {
    const std::string body =
        error_body({400, "invalid_event", std::string(message), {}}, EventFault{index, field});
    server_->respond(id, {400, body, {}});
  }

  void on_answer(int status) override {
    host_.add(metrics_.requests, 1);
    if (status >= 400) host_.add(metrics_.rejected, 1);
  }
  void on_received(size_t bytes) override { host_.add(metrics_.bytes_in, static_cast<double>(bytes)); }
  void on_connections(int change) override {
    connections_.fetch_add(static_cast<size_t>(change), std::memory_order_relaxed);
    host_.add(metrics_.connections, change);
  }
  void on_refused_handshake(const std::string& peer, const tls::Problem& problem) override {
    host_.add(metrics_.refused_handshakes, 1);
    const auto line = refusals_.note(problem, peer, std::chrono::steady_clock::now());
    if (line) host_.log(WEIR_LOG_WARN, *line);
  }
  void on_certificates(const tls::Credentials& in_use, const tls::Fault* fault) override {
    host_.set(metrics_.certificate_end, not_after(in_use));
    host_.log(fault != nullptr ? WEIR_LOG_ERROR : WEIR_LOG_INFO, replaced_text(in_use, fault));
  }
  void on_trouble(std::string_view text) override { host_.log(WEIR_LOG_WARN, text); }

  static constexpr uint32_t kCreditRetryMs = 1000;

  const sdk::Host host_;
  const Config config_;
  const SourceMetrics metrics_;
  std::unique_ptr<tls::ReloadingCredentials> credentials_;  // until the server has them
  tls::RefusalLog refusals_;

  mapping::EventParser parser_;
  std::optional<MappedRoute> mapped_;
  std::optional<sdk::BatchBuilder> batch_{std::in_place};
  EventsRequest events_request_;
  std::string receipt_;
  Settlements outbox_;

  std::mutex mutex_;
  Settlements inbox_;     // under mutex_
  bool woken_ = false;    // under mutex_: answer_settled() has been posted
  bool running_ = false;  // under mutex_: server_ may be called
  std::atomic<bool> has_credit_{true};
  std::atomic<size_t> connections_{0};

  std::unique_ptr<Server> server_;  // last: ends first
};

}  // namespace weir::http
