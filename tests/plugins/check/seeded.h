// What the plugins of the contract's tests share: a right component of each kind, which does one thing wrong when
// WEIR_TEST_FAULT names it. Over the C tables, so that everything can be done wrong.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "weir/plugin.hpp"

namespace weir::seeded {

// Whether this is the fault to show.
inline bool fault(std::string_view name) {
  static const char* const chosen = std::getenv("WEIR_TEST_FAULT");
  return chosen != nullptr && name == chosen;
}

inline void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

[[noreturn]] inline void hang() {
  for (;;) ::pause();
}

// Through a volatile, or the compiler sees that nobody wants the memory.
inline void leak() {
  static void* volatile last = nullptr;
  last = std::malloc(64);
  if (last == nullptr) std::abort();
}

inline weir_status fail(weir_error* error, const char* text, const char* pointer = "") {
  return sdk::detail::fill(error, WEIR_E_INVALID, text, pointer, 0);
}

// What every instance has. A derived one adds its work and `start`, `stop` and the like as it needs.
class Instance {
 public:
  Instance(weir_host* given, std::string_view text) : host(given), config(text) {
    log = static_cast<const weir_log_v1*>(weir_host_get(host, WEIR_LOG));
    metrics = static_cast<const weir_metrics_v1*>(weir_host_get(host, WEIR_METRICS));
  }
  virtual ~Instance() = default;

  virtual void prepare() {}
  virtual void start() {}
  virtual void pause() {}
  virtual void resume() {}
  virtual bool drain(int64_t) { return true; }
  virtual void stop() {}

  void write(std::string_view line) const {
    if (log != nullptr) log->write(host, WEIR_LOG_INFO, sdk::text(line));
  }

  weir_host* const host;
  const std::string config;
  const weir_log_v1* log;
  const weir_metrics_v1* metrics;
  int opened = -1;
  bool prepared = false, started = false;  // at any time
};

inline Instance& of(void* self) { return *static_cast<Instance*>(self); }
inline bool passed(int64_t deadline_ns) {
  return std::chrono::steady_clock::now().time_since_epoch() > std::chrono::nanoseconds(deadline_ns);
}

// Faults of create, whatever the kind.
inline weir_status faults_of_create(weir_host* host, std::string_view config, weir_error* error) {
  const bool extreme = config.find("\"level\":9") != std::string_view::npos;
  if (fault("crashes-on-a-value") && extreme) std::abort();
  if (fault("fails-without-text") && extreme) return WEIR_E_INVALID;
  if (fault("overruns-the-error") && extreme) std::memset(error->text, 'x', error->text_capacity + 4u);
  if (fault("pointer-without-slash") && extreme) return fail(error, "the level is wrong", "level");
  if (extreme) return fail(error, "the level is wrong", "/level");
  if (fault("prints")) {
    std::puts("here I am");
    std::fflush(stdout);
  }
  if (fault("changes-the-locale")) std::setlocale(LC_NUMERIC, "C.UTF-8");
  if (fault("ignores-sigpipe")) ::signal(SIGPIPE, SIG_IGN);
  if (fault("leaks-an-instance")) leak();
  if (fault("metric-name")) {
    auto* metrics = static_cast<const weir_metrics_v1*>(weir_host_get(host, WEIR_METRICS));
    if (metrics != nullptr) metrics->declare(host, WEIR_METRIC_COUNTER, sdk::text("Events Total"), sdk::text("all"));
  }
  const auto* gateway = static_cast<const weir_gateway_v1*>(weir_host_get(host, WEIR_GATEWAY));
  if (fault("undeclared-service") && gateway != nullptr) gateway->id(host);
  return WEIR_OK;
}

inline void faults_of_start(Instance& it) {
  if (fault("log-not-utf8")) it.write("caf\xE9");
  if (fault("log-of-two-lines")) it.write("one\ntwo");
  if (fault("exits-in-start")) std::exit(0);
  if (fault("needs-an-optional-service")) it.metrics->declare(it.host, WEIR_METRIC_GAUGE, sdk::text("level"), sdk::text(""));
  static bool left = false;
  if (fault("leaves-a-thread") && !std::exchange(left, true)) std::thread(hang).detach();
}

template <class T>
constexpr weir_component_v1 component_table() {
  return {
      [](weir_host* host, weir_text config, void** self, weir_error* error) -> weir_status {
        if (weir_status status = faults_of_create(host, sdk::view(config), error); status != WEIR_OK) return status;
        auto* made = new T(host, sdk::view(config));
        if (fault("opens-in-create")) made->opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        *self = static_cast<Instance*>(made);
        return WEIR_OK;
      },
      [](void* self, int64_t deadline_ns, weir_error* error) -> weir_status {
        if (fault("ignores-the-deadline") && passed(deadline_ns)) sleep_ms(1700);
        if (fault("leaves-a-lock-file")) {
          int pid = 0;
          if (std::ifstream("lock") >> pid && pid != ::getpid()) return fail(error, "another one is running: remove the file lock");
          std::ofstream("lock") << ::getpid();
        }
        of(self).prepare();
        of(self).prepared = true;
        return WEIR_OK;
      },
      [](void* self, int64_t, weir_error*) -> weir_status {
        faults_of_start(of(self));
        of(self).start();
        of(self).started = true;
        return WEIR_OK;
      },
      [](void* self, int64_t, weir_error*) -> weir_status {
        if (fault("hangs-in-pause")) hang();
        of(self).pause();
        return WEIR_OK;
      },
      [](void* self, int64_t, weir_error* error) -> weir_status {
        if (fault("cannot-resume")) return fail(error, "it is too late");
        of(self).resume();
        return WEIR_OK;
      },
      [](void* self, int64_t deadline_ns, weir_error* error) -> weir_status {
        if (of(self).drain(deadline_ns)) return WEIR_OK;
        sdk::detail::fill(error, WEIR_E_TIMEOUT, "not everything is done", "", 0);
        return WEIR_E_TIMEOUT;
      },
      [](void* self, int64_t, weir_error*) -> weir_status {
        of(self).stop();
        if (fault("leaves-a-descriptor")) (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (of(self).opened >= 0) ::close(std::exchange(of(self).opened, -1));
        if (fault("leaves-a-lock-file")) ::unlink("lock");
        return WEIR_OK;
      },
      [](void* self) {
        Instance& it = of(self);
        if (fault("destroy-wants-start") && it.prepared && !it.started) std::abort();
        if (fault("logs-in-destroy")) it.write("goodbye");
        delete &it;
      },
      [](void*, weir_health* health) {
        if (fault("health-blocks")) sleep_ms(30);
        health->state = fault("unwell-without-a-reason") ? WEIR_HEALTH_DEGRADED : WEIR_HEALTH_OK;
        if (health->text_capacity > 0) health->text[0] = '\0';
        if (fault("health-text-too-long")) std::memset(health->text, 'h', health->text_capacity + 1u);
      }};
}

// A descriptor with what is wrong with it.
inline weir_descriptor describe(weir_kind kind, const char* name, const char* const* required,
                                const char* const* optional, uint32_t transform) {
  static constexpr char kSchema[] =
      R"({"type": "object", "additionalProperties": false,
          "properties": {"level": {"type": "integer", "minimum": 0, "maximum": 9, "default": 1}}})";
  static constexpr char kLoose[] = R"({"type": "object", "properties": {"level": {"type": "integer", "minimum": 0, "maximum": 9}}})";
  static constexpr char kWrongDefault[] =
      R"({"type": "object", "additionalProperties": false, "properties": {"level": {"type": "integer", "default": "one"}}})";
  static constexpr char kPicky[] =
      R"({"type": "object", "additionalProperties": false, "required": ["level"],
          "properties": {"level": {"type": "integer", "minimum": 9, "maximum": 9}}})";
  const char* schema = fault("schema-lets-anything-pass") ? kLoose
                       : fault("default-of-another-type") ? kWrongDefault
                       : fault("needs-a-configuration")   ? kPicky
                                                          : kSchema;
  return {sizeof(weir_descriptor), kind, name, fault("no-description") ? "" : "A component for the contract's tests",
          schema, required, optional, 0, WEIR_TAKEOVER_OVERLAP, transform, 0};
}

}  // namespace weir::seeded

// The entry table of a plugin with one component: its descriptor, and the tables of Type.
#define SEEDED_PLUGIN(Type, descriptor_, data_id, data_table)                                                     \
  extern "C" WEIR_EXPORT const weir_entry weir_plugin_entry;                                                     \
  const weir_entry weir_plugin_entry = {                                                                         \
      WEIR_ABI_MAJOR,                                                                                            \
      WEIR_ABI_MINOR,                                                                                            \
      [](weir_host*, weir_error*) -> weir_status {                                                               \
        if (weir::seeded::fault("hangs-in-init")) weir::seeded::hang();                                          \
        Dl_info here;                                                                                            \
        const bool stays = weir::seeded::fault("stays-loaded") && ::dladdr(&weir_plugin_entry, &here) != 0;      \
        if (stays) (void)::dlopen(here.dli_fname, RTLD_NOW | RTLD_NODELETE);                                     \
        return WEIR_OK;                                                                                          \
      },                                                                                                         \
      [] {},                                                                                                     \
      []() -> uint32_t { return 1; },                                                                            \
      [](uint32_t i) -> const weir_descriptor* {                                                                 \
        static const weir_descriptor made = descriptor_;                                                         \
        return i == 0 ? &made : nullptr;                                                                         \
      },                                                                                                         \
      [](const char* name, const char* id) -> const void* {                                                      \
        static constexpr weir_component_v1 life = weir::seeded::component_table<Type>();                         \
        const std::string_view wanted = id;                                                                      \
        const bool any = weir::seeded::fault("answers-any-id");                                                  \
        if (std::string_view(name) != weir_plugin_entry.descriptor(0)->name) return nullptr;                     \
        if (wanted == WEIR_COMPONENT) return &life;                                                              \
        return wanted == data_id || any ? &data_table : nullptr;                                                 \
      }};
