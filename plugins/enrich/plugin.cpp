// What the library offers: enrich.validate and enrich.units, which are pure, enrich.dedupe and enrich.mean, which remember.
#include "weir/plugin.hpp"

#include "dedupe.h"
#include "mean.h"
#include "units.h"
#include "validate.h"

namespace {

constexpr weir::sdk::Registration kComponents[] = {
    weir::sdk::pure_transform<weir::enrich::Validate>(
        "enrich.validate", "Refuses events with missing fields, impossible values or timestamps far off",
        weir::enrich::ValidateConfig::kSchema),
    weir::sdk::pure_transform<weir::enrich::Units>(
        "enrich.units", "Brings numbers to one UCUM unit a quantity", weir::enrich::Units::kSchema),
    weir::sdk::stateful_transform<weir::enrich::Dedupe>(
        "enrich.dedupe", "Drops what it has seen before", weir::enrich::Dedupe::kSchema),
    weir::sdk::stateful_transform<weir::enrich::Mean>(
        "enrich.mean", "The mean of each device's readings over windows of time", weir::enrich::Mean::kSchema)};

}  // namespace

WEIR_PLUGIN_NOTE("enrich", "1.0.0",
                 "\"enrich.validate\":\"transform\",\"enrich.units\":\"transform\",\"enrich.dedupe\":\"transform\","
                 "\"enrich.mean\":\"transform\"")
WEIR_PLUGIN(kComponents)
