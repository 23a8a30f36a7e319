// A thin C++20 layer over the C ABI: derive from Source, Transform or Sink, list the components with WEIR_PLUGIN.
// Exceptions end here: Failure becomes its status and text, anything else WEIR_E_INTERNAL.
#pragma once

#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "weir/batch.hpp"
#include "weir/plugin.h"

namespace weir::sdk {

// Thrown by a plugin's code to fail a call. `pointer` names the configuration key (RFC 6901), "" when none.
class Failure : public std::runtime_error {
 public:
  Failure(weir_status status, const std::string& what, std::string key = "", uint32_t retry_ms = 0)
      : std::runtime_error(what), code(status), pointer(std::move(key)), retry_after_ms(retry_ms) {}
  weir_status code;
  std::string pointer;
  uint32_t retry_after_ms;
};

// The host's services for one instance. Cheap to copy; valid until the instance is destroyed.
class Host {
 public:
  explicit Host(weir_host* host)
      : host_(host),
        log_(get<weir_log_v1>(WEIR_LOG)),
        metrics_(get<weir_metrics_v1>(WEIR_METRICS)),
        clock_(get<weir_clock_v1>(WEIR_CLOCK)),
        gateway_(get<weir_gateway_v1>(WEIR_GATEWAY)),
        ingress_(get<weir_ingress_v1>(WEIR_INGRESS)),
        delivery_(get<weir_delivery_v1>(WEIR_DELIVERY)),
        socket_(get<weir_socket_v1>(WEIR_SOCKET)) {}

  weir_host* handle() const { return host_; }

  // The table of a service, null when the host does not offer it.
  template <class Table>
  const Table* get(const char* id) const {
    return static_cast<const Table*>(weir_host_get(host_, id));
  }

  void log(uint32_t level, std::string_view line) const {
    if (log_ != nullptr) log_->write(host_, level, sdk::text(line));
  }
  weir_metric declare(uint32_t kind, std::string_view name, std::string_view help) const {
    return metrics_ != nullptr ? metrics_->declare(host_, kind, sdk::text(name), sdk::text(help)) : 0;
  }
  void add(weir_metric metric, double delta) const {
    if (metrics_ != nullptr) metrics_->add(host_, metric, delta);
  }
  void set(weir_metric metric, double value) const {
    if (metrics_ != nullptr) metrics_->set(host_, metric, value);
  }
  // Sources and sinks only: a transform has no clock.
  int64_t wall_ns() const { return clock_->wall_ns(host_); }
  int64_t monotonic_ns() const { return clock_->monotonic_ns(host_); }

  // The gateway's own name, the first part of the idempotency key; empty when the host does not offer it.
  std::string_view gateway_id() const { return gateway_ != nullptr ? view(gateway_->id(host_)) : ""; }

  // Sources. See weir_ingress_v1.
  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) const {
    return ingress_->emit(host_, batch, token, result);
  }
  // Sinks. See weir_delivery_v1.
  void complete(uint64_t token, std::span<const weir_sink_result> results) const {
    delivery_->complete(host_, token, results.data(), static_cast<uint32_t>(results.size()));
  }
  // A listening socket that is the host's; the descriptor is the caller's to close. Throws Failure.
  int listen(uint32_t protocol, std::string_view address, uint32_t backlog = 0) const {
    char message[256] = "";
    char pointer[64] = "";
    weir_error error{WEIR_OK, 0, message, sizeof message, sizeof pointer, pointer};
    weir_listen spec{protocol, backlog, sdk::text(address)};
    int32_t fd = -1;
    if (weir_status status = socket_->listen(host_, &spec, &fd, &error); status != WEIR_OK) {
      throw Failure(status, message, "/listen");
    }
    return fd;
  }

 private:
  weir_host* host_;
  const weir_log_v1* log_;
  const weir_metrics_v1* metrics_;
  const weir_clock_v1* clock_;
  const weir_gateway_v1* gateway_;
  const weir_ingress_v1* ingress_;
  const weir_delivery_v1* delivery_;
  const weir_socket_v1* socket_;
};

struct Health {
  uint32_t state = WEIR_HEALTH_OK;
  std::string text;
};

// The life of an instance; see component.h for threads and order. The constructor is `create`: it takes
// (Host, std::string_view config) and throws Failure when the configuration is wrong.
class Component {
 public:
  virtual ~Component() = default;
  virtual void prepare(int64_t /*deadline_ns*/) {}
  virtual void start(int64_t /*deadline_ns*/) {}
  virtual void pause(int64_t /*deadline_ns*/) {}
  virtual void resume(int64_t /*deadline_ns*/) {}
  virtual void drain(int64_t /*deadline_ns*/) {}
  virtual void stop(int64_t /*deadline_ns*/) {}
  virtual Health health() { return {}; }
};

class Source : public Component {
 public:
  virtual void settled(std::span<const weir_settlement> settlements) = 0;
  virtual void credit(uint64_t /*events*/, uint64_t /*bytes*/) {}
};

// Where process() puts its decisions; see transform.h.
class Output {
 public:
  explicit Output(weir_output* output) : output_(output) {}
  void keep(uint32_t i) { output_->keep(output_, i); }
  void drop(uint32_t i, std::string_view reason) { output_->drop(output_, i, sdk::text(reason)); }
  void reject(uint32_t i, uint32_t code, std::string_view message) {
    output_->reject(output_, i, code, sdk::text(message));
  }
  weir_status amend_number(uint32_t i, double value) {
    weir_amendment amendment{};
    amendment.field = WEIR_FIELD_VALUE;
    amendment.value_type = WEIR_F64;
    amendment.value.f64 = value;
    return output_->amend(output_, i, &amendment);
  }
  // field: one of the text fields WEIR_FIELD_DEVICE_ID, SENSOR_TYPE, UNIT.
  weir_status amend_text(uint32_t i, uint32_t field, std::string_view value) {
    weir_amendment amendment{};
    amendment.field = field;
    amendment.text = sdk::text(value);
    return output_->amend(output_, i, &amendment);
  }
  weir_status amend_metadata(uint32_t i, std::string_view key, std::string_view value) {
    weir_amendment amendment{};
    amendment.field = WEIR_FIELD_METADATA;
    amendment.key = sdk::text(key);
    amendment.text = sdk::text(value);
    return output_->amend(output_, i, &amendment);
  }
  weir_status amend(uint32_t i, const weir_amendment& amendment) { return output_->amend(output_, i, &amendment); }
  weir_status emit(uint32_t cause, const weir_new_event& event) { return output_->emit(output_, cause, &event); }
  weir_status put(std::string_view key, std::string_view value) {
    return output_->put(output_, sdk::text(key), value.data(), value.size());
  }

 private:
  weir_output* output_;
};

class Transform : public Component {
 public:
  virtual void process(const weir_transform_context& context, const weir_batch* batch, Output& output) = 0;
};

// Remembers between events. Everything it remembers it must put(), so that the host can give it back; and its output must
// depend on the events, their order and the context alone, not on where batches are cut.
//   static constexpr uint32_t kStateFormat = 1;  // raise it when what is put changes its form
class StatefulTransform : public Transform {
 public:
  // One key of the state, before start(). Throw Failure(WEIR_E_UNSUPPORTED, ...) for a format that cannot be read.
  virtual void restore(uint32_t format_version, std::string_view key, std::string_view value) = 0;
  // See weir_transform_v1::tick. Called only where it is overridden.
  virtual void tick(const weir_transform_context& /*context*/, Output& /*output*/) {}
};

class Sink : public Component {
 public:
  virtual weir_sink_limits limits() { return {}; }
  // Throw Failure when the batch is not taken at all.
  virtual void submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) = 0;
  virtual void cancel(uint64_t /*token*/) {}
};

namespace detail {

inline void copy_text(char* to, uint32_t capacity, std::string_view from) {
  if (to == nullptr || capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), capacity - 1);
  std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

inline weir_status fill(weir_error* error, weir_status code, std::string_view what, std::string_view pointer,
                        uint32_t retry_after_ms) {
  if (error != nullptr) {
    error->code = code;
    error->retry_after_ms = retry_after_ms;
    copy_text(error->text, error->text_capacity, what);
    copy_text(error->pointer, error->pointer_capacity, pointer);
  }
  return code;
}

// Runs `call`; turns what it throws into a status.
template <class Call>
weir_status guarded(weir_error* error, Call&& call) noexcept {
  try {
    call();
    return WEIR_OK;
  } catch (const Failure& failure) {
    return fill(error, failure.code, failure.what(), failure.pointer, failure.retry_after_ms);
  } catch (const std::exception& exception) {
    return fill(error, WEIR_E_INTERNAL, exception.what(), "", 0);
  } catch (...) {
    return fill(error, WEIR_E_INTERNAL, "unknown exception", "", 0);
  }
}

template <class T>
T& as(void* self) {
  return *static_cast<T*>(self);
}

template <class T>
constexpr weir_component_v1 component_table() {
  return {
      [](weir_host* host, weir_text config, void** self, weir_error* error) {
        return guarded(error, [&] { *self = new T(Host(host), view(config)); });
      },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).prepare(at); }); },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).start(at); }); },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).pause(at); }); },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).resume(at); }); },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).drain(at); }); },
      [](void* self, int64_t at, weir_error* error) { return guarded(error, [&] { as<T>(self).stop(at); }); },
      [](void* self) { delete static_cast<T*>(self); },
      [](void* self, weir_health* health) {
        Health now{WEIR_HEALTH_FAILED, "health() threw"};
        guarded(nullptr, [&] { now = as<T>(self).health(); });
        health->state = now.state;
        copy_text(health->text, health->text_capacity, now.text);
      }};
}

template <class T>
constexpr weir_source_v1 source_table() {
  return {[](void* self, const weir_settlement* settlements, uint32_t n) {
            guarded(nullptr, [&] { as<T>(self).settled({settlements, n}); });
          },
          [](void* self, uint64_t events, uint64_t bytes) {
            guarded(nullptr, [&] { as<T>(self).credit(events, bytes); });
          }};
}

template <class T>
constexpr weir_transform_v1 transform_table() {
  return {[](void* self, const weir_transform_context* context, const weir_batch* batch, weir_output* output,
             weir_error* error) {
            return guarded(error, [&] {
              Output wrapped(output);
              as<T>(self).process(*context, batch, wrapped);
            });
          },
          nullptr, nullptr, 0, 0};
}

template <class T>
constexpr weir_transform_v1 stateful_table() {
  weir_transform_v1 table = transform_table<T>();
  table.restore = [](void* self, uint32_t format_version, weir_text key, const void* value, uint64_t size,
                     weir_error* error) {
    return guarded(error, [&] {
      as<T>(self).restore(format_version, view(key), {static_cast<const char*>(value), static_cast<size_t>(size)});
    });
  };
  // A null tick says that time alone changes nothing: then nobody is woken for it.
  constexpr bool kTicks = !std::is_same_v<decltype(&T::tick), decltype(&StatefulTransform::tick)>;
  if constexpr (kTicks) table.tick = [](void* self, const weir_transform_context* context, weir_output* output, weir_error* error) {
    return guarded(error, [&] {
      Output wrapped(output);
      as<T>(self).tick(*context, wrapped);
    });
  };
  table.state_format = T::kStateFormat;
  return table;
}

template <class T>
constexpr weir_sink_v1 sink_table() {
  return {[](void* self, weir_sink_limits* limits) { guarded(nullptr, [&] { *limits = as<T>(self).limits(); }); },
          [](void* self, const weir_batch* batch, uint64_t token, int64_t deadline, weir_error* error) {
            return guarded(error, [&] { as<T>(self).submit(batch, token, deadline); });
          },
          [](void* self, uint64_t token) { guarded(nullptr, [&] { as<T>(self).cancel(token); }); }};
}

template <class T>
inline constexpr weir_component_v1 component_of = component_table<T>();
template <class T>
inline constexpr weir_source_v1 source_of = source_table<T>();
template <class T>
inline constexpr weir_transform_v1 transform_of = transform_table<T>();
template <class T>
inline constexpr weir_transform_v1 stateful_of = stateful_table<T>();
template <class T>
inline constexpr weir_sink_v1 sink_of = sink_table<T>();

}  // namespace detail

// One component of a plugin: its descriptor, and the tables of the class that implements it.
struct Registration {
  weir_descriptor descriptor;
  const weir_component_v1* component;
  const char* data_id;
  const void* data;

  const void* find(std::string_view id) const {
    if (id == WEIR_COMPONENT) return component;
    return id == data_id ? data : nullptr;
  }
};

inline constexpr const char* kNoInterfaces[] = {nullptr};
inline constexpr const char* kSourceNeeds[] = {WEIR_INGRESS, WEIR_CLOCK, nullptr};
inline constexpr const char* kSinkNeeds[] = {WEIR_DELIVERY, WEIR_CLOCK, nullptr};
// What Host uses when it is there.
inline constexpr const char* kMayUse[] = {WEIR_LOG, WEIR_METRICS, WEIR_GATEWAY, nullptr};
inline constexpr const char* kSourceMayUse[] = {WEIR_LOG, WEIR_METRICS, WEIR_GATEWAY, WEIR_SOCKET, nullptr};

template <class T>
constexpr Registration source(const char* name, const char* description, const char* schema,
                              uint32_t capabilities = 0, uint32_t takeover = WEIR_TAKEOVER_OVERLAP) {
  return {{sizeof(weir_descriptor), WEIR_KIND_SOURCE, name, description, schema, kSourceNeeds, kSourceMayUse,
           capabilities, takeover, 0, 0},
          &detail::component_of<T>, WEIR_SOURCE, &detail::source_of<T>};
}
template <class T>
constexpr Registration pure_transform(const char* name, const char* description, const char* schema) {
  return {{sizeof(weir_descriptor), WEIR_KIND_TRANSFORM, name, description, schema, kNoInterfaces, kMayUse, 0,
           WEIR_TAKEOVER_OVERLAP, WEIR_TRANSFORM_PURE, 0},
          &detail::component_of<T>, WEIR_TRANSFORM, &detail::transform_of<T>};
}
template <class T>
constexpr Registration stateful_transform(const char* name, const char* description, const char* schema) {
  return {{sizeof(weir_descriptor), WEIR_KIND_TRANSFORM, name, description, schema, kNoInterfaces, kMayUse, 0,
           WEIR_TAKEOVER_OVERLAP, WEIR_TRANSFORM_STATEFUL, 0},
          &detail::component_of<T>, WEIR_TRANSFORM, &detail::stateful_of<T>};
}
template <class T>
constexpr Registration sink(const char* name, const char* description, const char* schema, uint32_t capabilities = 0,
                            uint32_t takeover = WEIR_TAKEOVER_OVERLAP) {
  return {{sizeof(weir_descriptor), WEIR_KIND_SINK, name, description, schema, kSinkNeeds, kMayUse,
           capabilities, takeover, 0, 0},
          &detail::component_of<T>, WEIR_SINK, &detail::sink_of<T>};
}

}  // namespace weir::sdk

// Exports the entry table over a constexpr array of Registrations, at file scope:
//   constexpr weir::sdk::Registration kComponents[] = {weir::sdk::sink<MySink>("demo.sink", "...", kSchema)};
//   WEIR_PLUGIN(kComponents)
#define WEIR_PLUGIN(registrations)                                                                     \
  extern "C" WEIR_EXPORT const weir_entry weir_plugin_entry;                                           \
  const weir_entry weir_plugin_entry = {                                                               \
      WEIR_ABI_MAJOR,                                                                                  \
      WEIR_ABI_MINOR,                                                                                  \
      [](weir_host*, weir_error*) -> weir_status { return WEIR_OK; },                                  \
      [] {},                                                                                           \
      []() -> uint32_t { return static_cast<uint32_t>(std::size(registrations)); },                    \
      [](uint32_t i) -> const weir_descriptor* {                                                       \
        return i < std::size(registrations) ? &(registrations)[i].descriptor : nullptr;                \
      },                                                                                               \
      [](const char* name, const char* id) -> const void* {                                            \
        for (const auto& registration : registrations) {                                               \
          if (std::string_view(registration.descriptor.name) == name) return registration.find(id);    \
        }                                                                                              \
        return nullptr;                                                                                \
      }};
