// What the library offers: one component, sqlite.sink.
#include "weir/plugin.hpp"

#include "config.h"
#include "sqlite_sink.h"

namespace {

constexpr const char* kNeeds[] = {WEIR_DELIVERY, WEIR_GATEWAY, nullptr};
constexpr const char* kUses[] = {WEIR_METRICS, nullptr};

constexpr weir::sdk::Registration sqlite_sink() {
  auto registration = weir::sdk::sink<weir::sqlite::SqliteSink>(
      "sqlite.sink", "Writes events into a table of a SQLite file, each exactly once",
      weir::sqlite::kConfigSchema, WEIR_CAP_FS);
  registration.descriptor.required = kNeeds;
  registration.descriptor.optional = kUses;
  return registration;
}

constexpr weir::sdk::Registration kComponents[] = {sqlite_sink()};

}  // namespace

WEIR_PLUGIN_NOTE("sqlite", "1.0.0", "\"sqlite.sink\":\"sink\"")
WEIR_PLUGIN(kComponents)
