// http.sink: events by HTTP POST, as JSON.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "../client/client.h"
#include "config.h"
#include "delivery.h"
#include "request_writer.h"
#include "weir/plugin.hpp"
#include "weir/tls/reloading.h"

namespace weir::http::sink {

// Threads: the control thread leads the life; submit() makes the JSON of a batch on its host thread and hands it, whole,
// to the client's thread, which sends it and completes it. So the host's batch is never read after submit().
class HttpSink final : public sdk::Sink, private DeliveryContext {
 public:
  HttpSink(sdk::Host host, std::string_view config_text);

  void prepare(int64_t deadline_ns) override;
  void start(int64_t deadline_ns) override;
  void drain(int64_t deadline_ns) override;
  void stop(int64_t deadline_ns) override;
  sdk::Health health() override;

  weir_sink_limits limits() override;
  void submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) override;
  void cancel(uint64_t token) override;

 private:
  struct Metrics {
    explicit Metrics(const sdk::Host& host);
    weir_metric requests, failures, rejected, bytes_out, connections, certificate_end;
  };

  // --- the client's thread ---
  void on_request(const std::string& trouble) override;
  void on_sent(size_t bytes) override;
  void on_rejected(size_t events) override;
  void on_finished(uint64_t token, OutgoingBatch& batch) override;

  void look_at_certificates();
  client::ConnectionOptions connection_options();

  std::shared_ptr<Delivery> take(uint64_t token);

  const sdk::Host host_;
  const Config config_;
  const mapping::EventJsonWriter event_writer_;
  const RequestWriter request_writer_;
  const Metrics metrics_;
  const std::unique_ptr<tls::ReloadingCredentials> credentials_;  // client's thread while it runs; null without TLS
  uint64_t opened_ = 0;  // client's thread: connections that metrics_ knows of

  std::mutex mutex_;
  std::condition_variable finished_;
  std::map<uint64_t, std::shared_ptr<Delivery>> open_;  // under mutex_: by token, neither completed nor cancelled
  size_t completing_ = 0;                               // under mutex_: out of open_, complete() not returned
  bool running_ = false;                                // under mutex_: client_ may be called, batches are taken
  std::string trouble_;                                 // under mutex_: of the last request

  std::unique_ptr<client::Client> client_;  // from prepare to stop; last: ends first
};

}  // namespace weir::http::sink
