#include "support/plugin_host.h"

#include <array>
#include <condition_variable>
#include <set>

#include "base/time.h"
#include "support/listen_sockets.h"

namespace weir::test {
namespace {

struct KeyValue {
  std::mutex mutex;
  std::map<std::string, std::string> values;
};

struct Metric {
  uint32_t kind = 0;
  double value = 0;
};

std::string string_of(weir_text text) { return {text.data, text.data + text.size}; }

bool valid_metric_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

struct PluginHost::State {
  // First member, so that a weir_host* leads back here.
  struct Handle : weir_host {
    PluginHost* owner;
  } handle;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::string gateway_id = "test-gateway";
  std::set<std::string, std::less<>> withheld;
  std::vector<LogLine> log;
  std::vector<Metric> metrics;  // weir_metric is the index + 1
  std::map<std::string, weir_metric, std::less<>> metric_names;
  std::shared_ptr<KeyValue> keyvalue;
  std::shared_ptr<ListenSockets> sockets;
};

// The tables of services. Functions of one PluginHost, found through the handle.
struct HostServices {
  static PluginHost& of(weir_host* host) { return *static_cast<PluginHost::State::Handle*>(host)->owner; }
  static PluginHost::State& state(weir_host* host) { return *of(host).state_; }

  static void write(weir_host* host, uint32_t level, weir_text text) {
    PluginHost::State& state = HostServices::state(host);
    std::lock_guard lock(state.mutex);
    state.log.push_back({level, string_of(text)});
    state.changed.notify_all();
  }

  static weir_metric declare(weir_host* host, uint32_t kind, weir_text name, weir_text) {
    PluginHost::State& state = HostServices::state(host);
    std::lock_guard lock(state.mutex);
    if (!valid_metric_name(string_of(name))) return 0;
    auto [found, fresh] = state.metric_names.try_emplace(string_of(name), 0);
    if (fresh) {
      state.metrics.push_back({kind, 0});
      found->second = static_cast<weir_metric>(state.metrics.size());
    }
    return found->second;
  }
  static void add(weir_host* host, weir_metric metric, double delta) {
    PluginHost::State& state = HostServices::state(host);
    std::lock_guard lock(state.mutex);
    if (metric != 0 && metric <= state.metrics.size()) state.metrics[metric - 1].value += delta;
  }
  static void set(weir_host* host, weir_metric metric, double value) {
    PluginHost::State& state = HostServices::state(host);
    std::lock_guard lock(state.mutex);
    if (metric != 0 && metric <= state.metrics.size()) state.metrics[metric - 1].value = value;
  }

  static weir_status get_value(weir_host* host, weir_text key, void* buffer, uint64_t capacity,
                               uint64_t* size) {
    KeyValue& keyvalue = *state(host).keyvalue;
    std::lock_guard lock(keyvalue.mutex);
    const auto found = keyvalue.values.find(string_of(key));
    if (found == keyvalue.values.end()) return WEIR_E_UNAVAILABLE;
    *size = found->second.size();
    if (buffer != nullptr) found->second.copy(static_cast<char*>(buffer), capacity);
    return WEIR_OK;
  }
  static weir_status put_value(weir_host* host, weir_text key, const void* value, uint64_t size) {
    KeyValue& keyvalue = *state(host).keyvalue;
    std::lock_guard lock(keyvalue.mutex);
    const char* data = static_cast<const char*>(value);
    if (size == 0) {
      keyvalue.values.erase(string_of(key));
    } else {
      keyvalue.values[string_of(key)] = std::string(data, data + size);
    }
    return WEIR_OK;
  }

  static weir_status listen(weir_host* host, const weir_listen* spec, int32_t* fd, weir_error* error) {
    const ListenSockets::Opened opened =
        state(host).sockets->open(spec->protocol, string_of(spec->address), spec->backlog);
    *fd = opened.fd;
    if (opened.status == WEIR_OK || error == nullptr) return opened.status;
    error->code = opened.status;
    std::snprintf(error->text, error->text_capacity, "%s", opened.message.c_str());
    std::snprintf(error->pointer, error->pointer_capacity, "%s", "");
    return opened.status;
  }

  static weir_text gateway_id(weir_host* host) {
    const std::string& id = state(host).gateway_id;
    return {id.data(), id.size()};
  }

  static const void* get(weir_host* host, const char* id);
};

const void* HostServices::get(weir_host* host, const char* id) {
  static constexpr weir_log_v1 kLog{write};
  static constexpr weir_metrics_v1 kMetrics{declare, add, set};
  static constexpr weir_clock_v1 kClock{
      [](weir_host*) { return base::wall_ns(); }, [](weir_host*) { return base::monotonic_ns(); },
      [](weir_host*) -> uint32_t { return base::plausible(base::wall_ns()) ? 1 : 0; }};
  static constexpr weir_keyvalue_v1 kKeyValue{get_value, put_value,
                                              [](weir_host*, int64_t) -> weir_status { return WEIR_OK; }};
  static constexpr weir_socket_v1 kSocket{listen};
  static constexpr weir_gateway_v1 kGateway{gateway_id};
  static constexpr weir_ingress_v1 kIngress{
      [](weir_host* self, const weir_batch* batch, uint64_t token, weir_emit_result* result) {
        return of(self).ingress.emit(batch, token, result);
      }};
  static constexpr weir_delivery_v1 kDelivery{
      [](weir_host* self, uint64_t token, const weir_sink_result* results, uint32_t n) {
        of(self).delivery.complete(token, results, n);
      }};
  static constexpr std::array<std::pair<std::string_view, const void*>, 8> kServices{{
      {WEIR_LOG, &kLog},
      {WEIR_METRICS, &kMetrics},
      {WEIR_CLOCK, &kClock},
      {WEIR_KEYVALUE, &kKeyValue},
      {WEIR_SOCKET, &kSocket},
      {WEIR_GATEWAY, &kGateway},
      {WEIR_INGRESS, &kIngress},
      {WEIR_DELIVERY, &kDelivery},
  }};
  if (state(host).withheld.contains(std::string_view(id))) return nullptr;
  for (const auto& [name, table] : kServices) {
    if (name == id) return table;
  }
  return nullptr;
}

PluginHost::PluginHost() : state_(std::make_unique<State>()) {
  state_->handle.get = HostServices::get;
  state_->handle.owner = this;
  state_->keyvalue = std::make_shared<KeyValue>();
  state_->sockets = std::make_shared<ListenSockets>();
}

PluginHost::PluginHost(const PluginHost& predecessor) : PluginHost() {
  state_->keyvalue = predecessor.state_->keyvalue;
  state_->sockets = predecessor.state_->sockets;
  state_->gateway_id = predecessor.state_->gateway_id;
}

PluginHost::~PluginHost() = default;

weir_host* PluginHost::handle() { return &state_->handle; }
void PluginHost::set_gateway_id(std::string id) { state_->gateway_id = std::move(id); }
void PluginHost::withhold(std::string service_id) { state_->withheld.insert(std::move(service_id)); }

std::vector<LogLine> PluginHost::log_lines() const {
  std::lock_guard lock(state_->mutex);
  return state_->log;
}

bool PluginHost::logged(std::string_view part) const {
  for (const LogLine& line : log_lines()) {
    if (line.text.find(part) != std::string::npos) return true;
  }
  return false;
}

bool PluginHost::wait_for_log(std::string_view part, std::chrono::nanoseconds timeout) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, timeout, [&] {
    for (const LogLine& line : state_->log) {
      if (line.text.find(part) != std::string::npos) return true;
    }
    return false;
  });
}

double PluginHost::metric(std::string_view name) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->metric_names.find(name);
  return found == state_->metric_names.end() ? 0 : state_->metrics[found->second - 1].value;
}

std::map<std::string, std::string> PluginHost::keyvalue() const {
  std::lock_guard lock(state_->keyvalue->mutex);
  return state_->keyvalue->values;
}

uint16_t PluginHost::port(size_t n) const { return state_->sockets->port(n); }
void PluginHost::fail_listen(weir_status status) { state_->sockets->fail_with(status); }

}  // namespace weir::test
