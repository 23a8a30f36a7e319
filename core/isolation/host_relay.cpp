#include "isolation/host_relay.h"

#include <string>

namespace weir::isolation {
namespace {

weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

// Each costs the gateway a descriptor for as long as the instance lives.
constexpr size_t kMaxSockets = 64;
constexpr base::Duration kSyncLimit = std::chrono::seconds(5);

std::string status_only(weir_status status) { return Writer().number(status).bytes(); }

}  // namespace

HostRelay::HostRelay(weir_host* host)
    : host_(host),
      log_(get<weir_log_v1>(WEIR_LOG)),
      metrics_table_(get<weir_metrics_v1>(WEIR_METRICS)),
      socket_(get<weir_socket_v1>(WEIR_SOCKET)),
      values_(get<weir_keyvalue_v1>(WEIR_KEYVALUE)) {}

void HostRelay::begin() { metrics_.clear(); }

void HostRelay::serve(Link& link, const Letter& letter) {
  Reader body(letter.body);
  switch (letter.message) {
    case Message::kLog: {
      auto level = body.number<uint32_t>();
      std::string_view line = body.text();
      if (log_ != nullptr) log_->write(host_, level, text_of(line));
      return;
    }
    case Message::kDeclare: {
      Metric metric;
      metric.kind = body.number<uint32_t>();
      std::string_view name = body.text(), help = body.text();
      if (metrics_table_ == nullptr || metrics_.size() == kMaxMetrics) return;
      metric.handle = metrics_table_->declare(host_, metric.kind, text_of(name), text_of(help));
      metrics_.push_back(metric);
      return;
    }
    case Message::kListen: return listen(link, letter);
    case Message::kGetValue: return get_value(link, letter);
    case Message::kPutValue: {
      std::string_view key = body.text(), value = body.text();
      weir_status status = WEIR_E_UNSUPPORTED;
      if (values_ != nullptr) status = values_->put(host_, text_of(key), value.data(), value.size());
      return link.answer(letter.id, status_only(status));
    }
    case Message::kSyncValues: {
      auto deadline = body.number<int64_t>();
      // Not longer than this thread can be spared.
      deadline = std::min(deadline, base::monotonic_ns(base::now() + kSyncLimit));
      weir_status status = values_ != nullptr ? values_->sync(host_, deadline) : weir_status{WEIR_E_UNSUPPORTED};
      return link.answer(letter.id, status_only(status));
    }
    default: link.kill("sent nonsense and was ended");
  }
}

void HostRelay::listen(Link& link, const Letter& letter) {
  Reader body(letter.body);
  weir_listen spec{};
  spec.protocol = body.number<uint32_t>();
  spec.backlog = body.number<uint32_t>();
  spec.address = text_of(body.text());
  char text[512] = "", pointer[64] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  int32_t fd = -1;
  sockets_.insert(std::to_string(spec.protocol) + ' ' + std::string(spec.address.data, static_cast<size_t>(spec.address.size)));
  if (sockets_.size() > kMaxSockets) return link.kill("asked for too many sockets and was ended");
  weir_status status = socket_ != nullptr ? socket_->listen(host_, &spec, &fd, &error) : weir_status{WEIR_E_UNSUPPORTED};
  Descriptor ours(fd);  // the child gets a duplicate
  link.answer(letter.id, Writer().number(status).text(text).bytes(), ours.get());
}

void HostRelay::get_value(Link& link, const Letter& letter) {
  Reader body(letter.body);
  weir_text key = text_of(body.text());
  std::string value;
  uint64_t size = 0;
  weir_status status = WEIR_E_UNSUPPORTED;
  if (values_ != nullptr) status = values_->get(host_, key, nullptr, 0, &size);
  if (status == WEIR_OK) {
    value.resize(static_cast<size_t>(size));
    status = values_->get(host_, key, value.data(), value.size(), &size);
    value.resize(static_cast<size_t>(std::min<uint64_t>(size, value.size())));
  }
  link.answer(letter.id, Writer().number(status).text(value).bytes());
}

void HostRelay::update_metrics(const Link& link) {
  for (size_t i = 0; i < metrics_.size(); ++i) {
    Metric& metric = metrics_[i];
    double value = link.memory().metric(i).load(std::memory_order_relaxed);
    if (metric.kind == WEIR_METRIC_GAUGE) {
      metrics_table_->set(host_, metric.handle, value);
    } else if (value > metric.seen) {
      metrics_table_->add(host_, metric.handle, value - metric.seen);
      metric.seen = value;
    }
  }
}

}  // namespace weir::isolation
