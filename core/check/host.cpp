#include "check/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "event/validate.h"

namespace weir::check {
namespace {

constexpr size_t kMaxLogLine = 4096;
constexpr size_t kMaxMetrics = 256;
constexpr int kBacklog = 128;
constexpr std::string_view kGateway = "check";

bool readable(weir_text text) { return text.size == 0 || text.data != nullptr; }
std::string string_of(weir_text text) { return std::string(text.size != 0 ? text.data : "", text.size); }

// A socket on loopback with a port of the kernel's choice: a check must not take a port of the machine's.
int open_loopback(uint32_t protocol, const std::string& asked) {
  const bool v6 = asked.starts_with('[');
  const int type = (protocol == WEIR_SOCKET_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, type, 0);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* address = v6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  const socklen_t size = v6 ? sizeof six : sizeof four;
  if (fd >= 0 && ::bind(fd, address, size) == 0 && (protocol == WEIR_SOCKET_UDP || ::listen(fd, kBacklog) == 0)) {
    return fd;
  }
  if (fd >= 0) ::close(fd);
  return -1;
}

std::string address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  if (storage.ss_family == AF_INET6) {
    return "[::1]:" + std::to_string(ntohs(reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port));
  }
  return "127.0.0.1:" + std::to_string(ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port));
}

bool listed(const std::vector<std::string>& ids, std::string_view id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

thread_local bool MustNotBlock::active_ = false;

Estate::~Estate() {
  for (const auto& [address, fd] : sockets) ::close(fd);
}

std::string Estate::addresses() {
  std::lock_guard lock(mutex);
  std::string all;
  for (const auto& [asked, fd] : sockets) all += (all.empty() ? "" : ",") + address_of(fd);
  return all;
}

// The tables of the ABI over Host's members.
struct Services {
  static Host& of(weir_host* host) { return *static_cast<Host*>(host); }

  static constexpr weir_log_v1 log = {[](weir_host* h, uint32_t level, weir_text text) {
    of(h).enter(WEIR_LOG, "log.write");
    of(h).write_log(level, text);
  }};
  static constexpr weir_gateway_v1 gateway = {[](weir_host* h) -> weir_text {
    of(h).enter(WEIR_GATEWAY, "gateway.id");
    return {kGateway.data(), kGateway.size()};
  }};
  static constexpr weir_metrics_v1 metrics = {
      [](weir_host* h, uint32_t kind, weir_text name, weir_text help) {
        of(h).enter(WEIR_METRICS, "metrics.declare");
        return of(h).declare(kind, name, help);
      },
      [](weir_host* h, weir_metric metric, double delta) { of(h).change("add", metric, delta); },
      [](weir_host* h, weir_metric metric, double value) { of(h).change("set", metric, value); }};
  static constexpr weir_clock_v1 clock = {[](weir_host* h) {
                                            of(h).enter(WEIR_CLOCK, "clock.wall_ns");
                                            return base::wall_ns();
                                          },
                                          [](weir_host* h) {
                                            of(h).enter(WEIR_CLOCK, "clock.monotonic_ns");
                                            return base::monotonic_ns();
                                          },
                                          [](weir_host* h) -> uint32_t {
                                            of(h).enter(WEIR_CLOCK, "clock.plausible");
                                            return base::plausible(base::wall_ns()) ? 1 : 0;
                                          }};
  static constexpr weir_timer_v1 timer = {
      [](weir_host* h, uint64_t delay, uint64_t period, weir_timer_callback callback, void* context) {
        of(h).enter(WEIR_TIMER, "timer.start");
        return of(h).callbacks().start_timer(delay, period, callback, context);
      },
      [](weir_host* h, uint64_t id) {
        of(h).enter(WEIR_TIMER, "timer.cancel");
        of(h).callbacks().cancel_timer(id);
      }};
  static constexpr weir_watch_v1 watch = {
      [](weir_host* h, int32_t fd, uint32_t events, weir_watch_callback callback, void* context) {
        of(h).enter(WEIR_WATCH, "watch.set");
        return of(h).callbacks().watch(fd, events, callback, context);
      },
      [](weir_host* h, int32_t fd) {
        of(h).enter(WEIR_WATCH, "watch.clear");
        of(h).callbacks().clear_watch(fd);
      }};
  static constexpr weir_socket_v1 socket = {
      [](weir_host* h, const weir_listen* spec, int32_t* fd, weir_error* error) {
        of(h).enter(WEIR_SOCKET, "socket.listen");
        return of(h).listen(spec, fd, error);
      }};
  static constexpr weir_keyvalue_v1 keyvalue = {
      [](weir_host* h, weir_text key, void* buffer, uint64_t capacity, uint64_t* size) {
        of(h).enter(WEIR_KEYVALUE, "keyvalue.get");
        return of(h).get_value(key, buffer, capacity, size);
      },
      [](weir_host* h, weir_text key, const void* value, uint64_t size) {
        of(h).enter(WEIR_KEYVALUE, "keyvalue.put");
        return of(h).put_value(key, value, size);
      },
      [](weir_host* h, int64_t) {
        of(h).enter(WEIR_KEYVALUE, "keyvalue.sync");
        return of(h).sync();
      }};
  static constexpr weir_ingress_v1 ingress = {
      [](weir_host* h, const weir_batch* batch, uint64_t token, weir_emit_result* result) {
        of(h).enter(WEIR_INGRESS, "emit");
        return of(h).emit(batch, token, result);
      }};
  static constexpr weir_delivery_v1 delivery = {
      [](weir_host* h, uint64_t token, const weir_sink_result* results, uint32_t n) {
        of(h).enter(WEIR_DELIVERY, "complete");
        of(h).deliveries_.complete(token, results, n);
      }};
};

Host::Host(Trial& trial, Estate& estate, Options options)
    : weir_host{[](weir_host* host, const char* id) { return Services::of(host).find(id); }},
      trial_(trial),
      estate_(estate),
      options_(options),
      control_(std::this_thread::get_id()),
      deliveries_(trial),
      settler_(trial) {}

Host::~Host() { quiet(); }

void Host::quiet() {
  settler_.close();
  std::unique_ptr<Callbacks> ending;
  {
    std::lock_guard lock(mutex_);
    ending = std::move(callbacks_);
  }
  if (ending != nullptr) ending->end();
}

const void* Host::find(const char* id) {
  const std::string_view wanted = id;
  const plugin::Component& component = trial_.component();
  if (options_.only_required && !listed(component.required, wanted)) return nullptr;
  if (wanted == WEIR_LOG) return &Services::log;
  if (wanted == WEIR_GATEWAY) return &Services::gateway;
  if (wanted == WEIR_METRICS) return &Services::metrics;
  // As in the gateway: a transform is a function of its events.
  if (component.kind == plugin::Kind::kTransform) return nullptr;
  if (wanted == WEIR_CLOCK) return &Services::clock;
  if (wanted == WEIR_TIMER) return &Services::timer;
  if (wanted == WEIR_WATCH) return &Services::watch;
  if (wanted == WEIR_SOCKET) return &Services::socket;
  if (wanted == WEIR_KEYVALUE) return &Services::keyvalue;
  if (wanted == WEIR_INGRESS && component.kind == plugin::Kind::kSource) return &Services::ingress;
  if (wanted == WEIR_DELIVERY && component.kind == plugin::Kind::kSink) return &Services::delivery;
  return nullptr;
}

void Host::enter(const char* id, const char* call) {
  if (phase_ == Phase::kStopped) {
    trial_.find("calls-after-stop", std::string(call) + "() was called after stop() had returned");
  }
  const plugin::Component& component = trial_.component();
  if (!listed(component.required, id) && !listed(component.optional, id)) {
    trial_.find("declared-services", std::string("it uses ") + id + ", which its descriptor lists neither as required nor as optional");
  }
}

void Host::write_log(uint32_t level, weir_text text) {
  if (level < WEIR_LOG_DEBUG || level > WEIR_LOG_ERROR) {
    trial_.find("log-lines", "log.write() was given the unknown level " + std::to_string(level));
  }
  if (!readable(text) || !event::valid_text(text.data, text.size)) {
    trial_.find("log-lines", "a log line is not UTF-8, or holds a NUL");
    return;
  }
  if (text.size > kMaxLogLine) trial_.find("log-lines", "a log line is longer than 4 KiB: it would be cut");
  if (std::memchr(text.data, '\n', text.size) != nullptr) {
    trial_.find("log-lines", "a log line holds a line break: write() takes one line");
  }
}

weir_metric Host::declare(uint32_t kind, weir_text name, weir_text help) {
  const std::string text = readable(name) ? string_of(name) : "";
  const bool valid = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!valid) {
    trial_.find("metrics", "metrics.declare() was given the name '" + text + "': only a-z, 0-9 and _ are allowed");
    return 0;
  }
  if (kind != WEIR_METRIC_COUNTER && kind != WEIR_METRIC_GAUGE) {
    trial_.find("metrics", "the metric '" + text + "' is of the unknown kind " + std::to_string(kind));
    return 0;
  }
  if (!readable(help) || !event::valid_text(help.data, help.size)) {
    trial_.find("metrics", "the help text of the metric '" + text + "' is not UTF-8");
  }
  std::lock_guard lock(mutex_);
  if (auto found = metrics_.find(text); found != metrics_.end()) {
    if (metric_kinds_[found->second] != kind) trial_.find("metrics", "the metric '" + text + "' is declared as two kinds");
    return found->second;
  }
  if (metrics_.size() == kMaxMetrics) {
    trial_.find("metrics", "it declares more than 256 metrics: the rest is not shown");
    return 0;
  }
  const weir_metric handle = static_cast<weir_metric>(metrics_.size() + 1);
  metric_kinds_[handle] = kind;
  return metrics_[text] = handle;
}

void Host::change(const char* call, weir_metric metric, double by) {
  enter(WEIR_METRICS, call[0] == 'a' ? "metrics.add" : "metrics.set");
  if (metric == 0) return;  // ignored by contract
  std::lock_guard lock(mutex_);
  auto kind = metric_kinds_.find(metric);
  if (kind == metric_kinds_.end()) {
    trial_.find("metrics", std::string(call) + "() was given a metric that was never declared");
  } else if (kind->second == WEIR_METRIC_COUNTER && (call[0] == 's' || by < 0)) {
    trial_.find("metrics", call[0] == 's' ? "set() was called on a counter" : "a counter was lowered");
  } else if (!std::isfinite(by)) {
    trial_.find("metrics", std::string(call) + "() was given a number that is NaN or infinite");
  }
}

weir_status Host::listen(const weir_listen* spec, int32_t* fd, weir_error* error) {
  if (std::this_thread::get_id() != control_) trial_.find("thread-tags", "listen() was called from another than the control thread");
  if (phase_ != Phase::kPreparing) {
    trial_.find("thread-tags", "listen() was called outside of prepare(): create() opens nothing, and start() is too late to say that a port is taken");
  }
  if (spec == nullptr || fd == nullptr || (spec->protocol != WEIR_SOCKET_TCP && spec->protocol != WEIR_SOCKET_UDP)) {
    trial_.find("thread-tags", "listen() was called without a spec, or with an unknown protocol");
    return WEIR_E_INVALID;
  }
  const std::string key = std::to_string(spec->protocol) + " " + string_of(spec->address);
  std::lock_guard lock(estate_.mutex);
  auto found = estate_.sockets.find(key);
  if (found == estate_.sockets.end()) {
    const int made = open_loopback(spec->protocol, string_of(spec->address));
    if (made < 0) {
      if (error != nullptr && error->text_capacity > 0) error->text[0] = '\0';
      return WEIR_E_UNAVAILABLE;
    }
    found = estate_.sockets.emplace(key, made).first;
  }
  *fd = ::fcntl(found->second, F_DUPFD_CLOEXEC, 3);
  return *fd >= 0 ? WEIR_OK : WEIR_E_UNAVAILABLE;
}

weir_status Host::get_value(weir_text key, void* buffer, uint64_t capacity, uint64_t* size) {
  std::lock_guard lock(estate_.mutex);
  auto found = estate_.values.find(string_of(key));
  if (found == estate_.values.end()) return WEIR_E_UNAVAILABLE;
  *size = found->second.size();
  std::memcpy(buffer, found->second.data(), std::min<uint64_t>(capacity, *size));
  return WEIR_OK;
}

weir_status Host::put_value(weir_text key, const void* value, uint64_t size) {
  std::lock_guard lock(estate_.mutex);
  if (size == 0) {
    estate_.values.erase(string_of(key));
    return WEIR_OK;
  }
  uint64_t all = size;
  for (const auto& [name, text] : estate_.values) all += name.size() + text.size();
  if (all > WEIR_KEYVALUE_MAX_BYTES) return WEIR_E_UNAVAILABLE;
  estate_.values[string_of(key)] = std::string(static_cast<const char*>(value), size);
  return WEIR_OK;
}

weir_status Host::sync() {
  if (MustNotBlock::active()) {
    trial_.find("thread-tags", "keyvalue.sync(), which waits for the disk, was called within a call that must not block");
  }
  return WEIR_OK;
}

uint32_t Host::emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) {
  const Phase now = phase_;
  if (now != Phase::kRunning && now != Phase::kDraining) {
    const char* where = now == Phase::kPaused ? "while it was paused" : now == Phase::kDrained ? "after it was drained"
                        : now == Phase::kStopped ? "after it was stopped" : "before it was started";
    trial_.find("emit-state", std::string("emit() was called ") + where);
    return WEIR_BUSY;
  }
  return settler_.emit(batch, token, result);
}

Callbacks& Host::callbacks() {
  std::lock_guard lock(mutex_);
  if (callbacks_ == nullptr) callbacks_ = std::make_unique<Callbacks>(trial_);
  return *callbacks_;
}

}  // namespace weir::check
