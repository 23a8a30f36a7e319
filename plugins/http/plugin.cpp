// What the library offers: http.source and http.sink.
#include "config_schema.h"
#include "sink/http_sink.h"
#include "sink/config.h"
#include "source.h"

namespace {

constexpr const char* kSourceNeeds[] = {WEIR_INGRESS, WEIR_CLOCK, WEIR_SOCKET, nullptr};
constexpr const char* kSinkNeeds[] = {WEIR_DELIVERY, WEIR_GATEWAY, nullptr};
constexpr const char* kUses[] = {WEIR_LOG, WEIR_METRICS, nullptr};

constexpr weir::sdk::Registration http_source() {
  auto registration = weir::sdk::source<weir::http::HttpSource>(
      "http.source", "Takes events by HTTP POST and answers when they are safe", weir::http::kConfigSchema,
      WEIR_CAP_NET | WEIR_CAP_FS);  // the files of tls
  registration.descriptor.required = kSourceNeeds;
  registration.descriptor.optional = kUses;
  return registration;
}

constexpr weir::sdk::Registration http_sink() {
  auto registration = weir::sdk::sink<weir::http::sink::HttpSink>(
      "http.sink", "Sends events by HTTP POST as JSON", weir::http::sink::kConfigSchema,
      WEIR_CAP_NET | WEIR_CAP_FS);  // the files of tls, and the system's authorities
  registration.descriptor.required = kSinkNeeds;
  registration.descriptor.optional = kUses;
  return registration;
}

constexpr weir::sdk::Registration kComponents[] = {http_source(), http_sink()};

}  // namespace

WEIR_PLUGIN_NOTE("http", "1.0.0", "\"http.source\":\"source\",\"http.sink\":\"sink\"")
WEIR_PLUGIN(kComponents)
