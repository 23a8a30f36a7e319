// What the library offers: enrich.dedupe and enrich.mean.
#include "weir/plugin.hpp"

#include "dedupe.h"
#include "mean.h"

namespace {

constexpr weir::sdk::Registration kComponents[] = {
    weir::sdk::stateful_transform<weir::enrich::Dedupe>(
        "enrich.dedupe", "Drops what it has seen before", weir::enrich::Dedupe::kSchema),
    weir::sdk::stateful_transform<weir::enrich::Mean>(
        "enrich.mean", "The mean of each device's readings over windows of time", weir::enrich::Mean::kSchema)};

}  // namespace

WEIR_PLUGIN_NOTE("enrich-stateful", "1.0.0", "\"enrich.dedupe\":\"transform\",\"enrich.mean\":\"transform\"")
WEIR_PLUGIN(kComponents)
