// A host in this process for tests of real plugins: load a .so, make an instance, feed it, look at what it
// does.
//
//   PluginLibrary library(plugin_path("sqlite"));
//   PluginHost host;
//   Instance sink(library, host, "sqlite.sink", R"({"path": "x.db"})");
//   sink.prepare(); sink.start();
//   sink.submit(make_batch({{.value = 1.5}}), /*token=*/1);
//   EXPECT_EQ(host.delivery.wait_for(1)->of(0).outcome, WEIR_DELIVERED);
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/delivery.h"
#include "support/ingress.h"
#include "support/plugin_library.h"
#include "support/transform_output.h"

namespace weir::test {

struct LogLine {
  uint32_t level = 0;  // WEIR_LOG_INFO ...
  std::string text;
};

// The host of one instance: services log, metrics, clock, socket, keyvalue, gateway, ingress and delivery,
// all of them real but small. Must outlive its instance. All functions: any thread.
class PluginHost {
 public:
  PluginHost();
  // The host of a successor of the same instance name: it gets the same sockets and key-value state.
  explicit PluginHost(const PluginHost& predecessor);
  PluginHost& operator=(const PluginHost&) = delete;
  ~PluginHost();

  weir_host* handle();
  // Before the instance is made. Default "test-gateway".
  void set_gateway_id(std::string id);
  // Takes a service away, as a host does that does not offer it. Before the instance is made.
  void withhold(std::string service_id);

  std::vector<LogLine> log_lines() const;
  bool logged(std::string_view part) const;
  // Waits for a line that holds `part`.
  bool wait_for_log(std::string_view part, std::chrono::nanoseconds timeout = kPatience);
  // The value of a declared metric, 0 when there is none of that name.
  double metric(std::string_view name) const;
  std::map<std::string, std::string> keyvalue() const;
  // The port of the n-th socket that was listened on, 0 when there is none.
  uint16_t port(size_t n = 0) const;
  // Makes listen fail with that status until it is called with WEIR_OK.
  void fail_listen(weir_status status);

  Ingress ingress;
  Delivery delivery;

 private:
  friend struct HostServices;
  struct State;
  std::unique_ptr<State> state_;
};

// A call of the plugin returned something else than WEIR_OK.
struct CallFailed : std::runtime_error {
  CallFailed(weir_status status, const std::string& text, std::string json_pointer, uint32_t retry_ms)
      : std::runtime_error(text), code(status), pointer(std::move(json_pointer)), retry_after_ms(retry_ms) {}
  weir_status code;
  std::string pointer;
  uint32_t retry_after_ms;
};

struct InstanceHealth {
  uint32_t state = 0;  // WEIR_HEALTH_OK ...
  std::string text;
};

// An instance of a component. Every call throws CallFailed when the plugin refuses. Destroyed with the
// object, stopped before when it runs. Calls of one thread at a time, except health(), as with a real host.
class Instance {
 public:
  Instance(const PluginLibrary& library, PluginHost& host, const std::string& component,
           std::string_view config);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  void prepare(std::chrono::nanoseconds within = kPatience);
  void start(std::chrono::nanoseconds within = kPatience);
  void pause(std::chrono::nanoseconds within = kPatience);
  void resume(std::chrono::nanoseconds within = kPatience);
  void drain(std::chrono::nanoseconds within = kPatience);
  void stop(std::chrono::nanoseconds within = kPatience);
  InstanceHealth health() const;

  // A source.
  void credit(uint64_t events, uint64_t bytes);
  // A sink. `batch` must live until its completion.
  weir_sink_limits limits() const;
  void submit(const weir_batch* batch, uint64_t token, std::chrono::nanoseconds within = kPatience);
  void cancel(uint64_t token);
  // Submits and waits for the completion. Throws std::runtime_error when it does not come in time.
  Completion deliver(const weir_batch* batch);
  // A transform. `output` must be made from the same batch.
  void process(const weir_batch* batch, TransformOutput& output, const weir_transform_context& context = {});
  // A stateful one.
  void restore(uint32_t format_version, const std::string& key, const std::string& value);
  void tick(TransformOutput& output, const weir_transform_context& context);
  const weir_transform_v1& transform() const { return *transform_; }

 private:
  using Step = weir_status (*)(void*, int64_t, weir_error*);
  void call(Step step, std::chrono::nanoseconds within);

  PluginHost& host_;
  const weir_component_v1* component_;
  const weir_source_v1* source_;
  const weir_transform_v1* transform_;
  const weir_sink_v1* sink_;
  void* self_ = nullptr;
  bool running_ = false;
  uint64_t next_token_ = uint64_t{1} << 32;
};

}  // namespace weir::test
