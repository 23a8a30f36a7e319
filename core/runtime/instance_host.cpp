#include "runtime/instance_host.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"

namespace weir::runtime {
namespace {

constexpr size_t kMaxLogLine = 4096;
constexpr uint32_t kLogLinesPerSecond = 50;

std::string_view view(weir_text text) { return {text.data, static_cast<size_t>(text.size)}; }

void fill(weir_error* error, weir_status code, std::string_view text) {
  if (error == nullptr) return;
  error->code = code;
  if (error->text == nullptr || error->text_capacity == 0) return;
  size_t size = std::min<size_t>(text.size(), error->text_capacity - 1);
  std::memcpy(error->text, text.data(), size);
  error->text[size] = '\0';
}

weir_status status_of(base::Code code) {
  switch (code) {
    case base::Code::kInvalid: return WEIR_E_INVALID;
    case base::Code::kDenied: return WEIR_E_DENIED;
    case base::Code::kTimeout: return WEIR_E_TIMEOUT;
    case base::Code::kInternal: return WEIR_E_INTERNAL;
    default: return WEIR_E_UNAVAILABLE;
  }
}

}  // namespace

// The tables of the ABI over InstanceHost's members.
struct HostServices {
  static InstanceHost& of(weir_host* host) { return *static_cast<InstanceHost*>(host); }

  static const void* get(weir_host* host, const char* id) {
    static constexpr weir_log_v1 log = {
        [](weir_host* h, uint32_t level, weir_text text) { of(h).write_log(level, view(text)); }};
    static constexpr weir_gateway_v1 gateway = {[](weir_host* h) -> weir_text {
      const std::string& gateway_id = of(h).services_.gateway_id;
      return {gateway_id.data(), gateway_id.size()};
    }};
    std::string_view wanted = id;
    weir_kind kind = of(host).kind_;
    if (wanted == WEIR_LOG) return &log;
    if (wanted == WEIR_GATEWAY) return &gateway;
    if (wanted == WEIR_METRICS) return metrics();
    // A transform is a function of its events: no time, no sockets, no memory but what it puts.
    if (kind == WEIR_KIND_TRANSFORM) return nullptr;
    if (wanted == WEIR_CLOCK) return clock();
    if (wanted == WEIR_TIMER) return timer();
    if (wanted == WEIR_WATCH) return watch();
    if (wanted == WEIR_SOCKET) return socket();
    if (wanted == WEIR_KEYVALUE) return keyvalue();
    if (wanted == WEIR_INGRESS && kind == WEIR_KIND_SOURCE) return ingress();
    if (wanted == WEIR_DELIVERY && kind == WEIR_KIND_SINK) return delivery();
    return nullptr;
  }

  static const void* metrics() {
    static constexpr weir_metrics_v1 table = {
        [](weir_host* h, uint32_t, weir_text name, weir_text) { return of(h).declare(view(name)); },
        [](weir_host* h, weir_metric handle, double delta) {
          if (auto* metric = of(h).metric(handle)) metric->value.fetch_add(delta, std::memory_order_relaxed);
        },
        [](weir_host* h, weir_metric handle, double value) {
          if (auto* metric = of(h).metric(handle)) metric->value.store(value, std::memory_order_relaxed);
        }};
    return &table;
  }

  static const void* clock() {
    static constexpr weir_clock_v1 table = {[](weir_host*) { return base::wall_ns(); },
                                            [](weir_host*) { return base::monotonic_ns(); },
                                            [](weir_host*) -> uint32_t { return base::plausible(base::wall_ns()); }};
    return &table;
  }

  static const void* timer() {
    static constexpr weir_timer_v1 table = {
        [](weir_host* h, uint64_t delay, uint64_t period, weir_timer_callback callback, void* context) {
          return of(h).events().start_timer(delay, period, callback, context);
        },
        [](weir_host* h, uint64_t timer) { of(h).events().cancel_timer(timer); }};
    return &table;
  }

  static const void* watch() {
    static constexpr weir_watch_v1 table = {
        [](weir_host* h, int32_t fd, uint32_t events, weir_watch_callback callback, void* context) {
          return of(h).events().watch(fd, events, callback, context);
        },
        [](weir_host* h, int32_t fd) { of(h).events().clear_watch(fd); }};
    return &table;
  }

  static const void* socket() {
    static constexpr weir_socket_v1 table = {
        [](weir_host* h, const weir_listen* spec, int32_t* fd, weir_error* error) -> weir_status {
          InstanceHost& host = of(h);
          uint64_t use = 0;
          auto made = host.services_.sockets->listen(host.name_, spec->protocol, std::string(view(spec->address)),
                                                     spec->backlog, &use);
          if (made) {
            std::lock_guard lock(host.sockets_mutex_);
            host.sockets_.push_back(use);
            *fd = *made;
            return WEIR_OK;
          }
          weir_status code = status_of(made.error().code);
          fill(error, code, made.error().text());
          return code;
        }};
    return &table;
  }

  static const void* keyvalue() {
    static constexpr weir_keyvalue_v1 table = {&get_value, &put_value, [](weir_host* h, int64_t deadline_ns) {
                                                 auto left = base::Duration(deadline_ns - base::monotonic_ns());
                                                 auto done = of(h).services_.journal->state().sync(left);
                                                 return done ? weir_status{WEIR_OK} : weir_status{WEIR_E_TIMEOUT};
                                               }};
    return &table;
  }

  static weir_status get_value(weir_host* h, weir_text key, void* buffer, uint64_t capacity, uint64_t* size) {
    InstanceHost& host = of(h);
    std::lock_guard lock(host.values_mutex_);
    auto found = host.values_.find(std::string(view(key)));
    if (found == host.values_.end()) return WEIR_E_UNAVAILABLE;
    *size = found->second.size();
    std::memcpy(buffer, found->second.data(), std::min<uint64_t>(capacity, *size));
    return WEIR_OK;
  }

  static weir_status put_value(weir_host* h, weir_text key, const void* value, uint64_t size) {
    InstanceHost& host = of(h);
    std::string name(view(key));
    std::lock_guard lock(host.values_mutex_);
    auto found = host.values_.find(name);
    uint64_t old = found == host.values_.end() ? 0 : name.size() + found->second.size();
    uint64_t fresh = size == 0 ? 0 : name.size() + size;
    if (host.value_bytes_ - old + fresh > WEIR_KEYVALUE_MAX_BYTES) return WEIR_E_UNAVAILABLE;
    host.value_bytes_ += fresh - old;
    journal::KeyValue entry{host.name_, name, std::nullopt};
    if (size == 0) {
      host.values_.erase(name);
    } else {
      entry.value = std::string(static_cast<const char*>(value), size);
      host.values_[name] = *entry.value;
    }
    host.services_.journal->state().put(entry);
    return WEIR_OK;
  }

  static const void* ingress() {
    static constexpr weir_ingress_v1 table = {
        [](weir_host* h, const weir_batch* batch, uint64_t token, weir_emit_result* result) -> uint32_t {
          InstanceHost& host = of(h);
          auto door = std::atomic_load(&host.door_);
          if (door == nullptr) return WEIR_BUSY;  // within create
          return door->emit(batch, token, result);
        }};
    return &table;
  }

  static const void* delivery() {
    static constexpr weir_delivery_v1 table = {
        [](weir_host* h, uint64_t token, const weir_sink_result* results, uint32_t n) {
          if (auto consumer = std::atomic_load(&of(h).consumer_)) consumer->complete(token, results, n);
        }};
    return &table;
  }
};

InstanceHost::InstanceHost(Services services, std::string name, weir_kind kind)
    : services_(std::move(services)), name_(std::move(name)), kind_(kind) {
  get = &HostServices::get;
  if (kind != WEIR_KIND_TRANSFORM) values_ = services_.journal->state().key_values(name_);
  for (const auto& [key, value] : values_) value_bytes_ += key.size() + value.size();
}

InstanceHost::~InstanceHost() {
  for (uint64_t use : sockets_) services_.sockets->end_use(use);
}

bool InstanceHost::end_events(base::Duration patience) {
  std::unique_ptr<plugin::EventLoop> loop;
  {
    std::lock_guard lock(events_mutex_);
    loop = std::move(events_);
  }
  if (!loop || loop->end(patience)) return true;
  (void)loop.release();
  return false;
}

plugin::EventLoop& InstanceHost::events() {
  std::lock_guard lock(events_mutex_);
  if (!events_) events_ = std::make_unique<plugin::EventLoop>();
  return *events_;
}

void InstanceHost::write_log(uint32_t level, std::string_view text) {
  {
    std::lock_guard lock(log_mutex_);
    base::Monotonic now = base::now();
    if (now - log_second_ >= std::chrono::seconds(1)) {
      if (log_left_out_ != 0) base::log_warn(name_, std::to_string(log_left_out_) + " lines were left out");
      log_second_ = now;
      log_lines_ = log_left_out_ = 0;
    }
    if (++log_lines_ > kLogLinesPerSecond) {
      ++log_left_out_;
      return;
    }
  }
  auto clamped = static_cast<base::Level>(std::clamp<uint32_t>(level, WEIR_LOG_DEBUG, WEIR_LOG_ERROR));
  base::log(clamped, name_, text.substr(0, kMaxLogLine));
}

weir_metric InstanceHost::declare(std::string_view name) {
  bool valid = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!valid) return 0;
  std::lock_guard lock(metrics_mutex_);
  uint32_t count = metric_count_.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i) {
    if (metrics_[i]->name == name) return i + 1;
  }
  if (count == kMaxMetrics) return 0;
  metrics_[count] = std::make_unique<Metric>();
  metrics_[count]->name = name;
  metric_count_.store(count + 1, std::memory_order_release);
  return count + 1;
}

InstanceHost::Metric* InstanceHost::metric(weir_metric handle) {
  if (handle == 0 || handle > metric_count_.load(std::memory_order_acquire)) return nullptr;
  return metrics_[handle - 1].get();
}

std::map<std::string, double> InstanceHost::metrics() const {
  std::map<std::string, double> out;
  uint32_t count = metric_count_.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) out[metrics_[i]->name] = metrics_[i]->value.load(std::memory_order_relaxed);
  return out;
}

}  // namespace weir::runtime
