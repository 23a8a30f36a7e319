// What the library offers: enrich.validate and enrich.units.
#include "weir/plugin.hpp"

#include "units.h"
#include "validate.h"

namespace {

constexpr weir::sdk::Registration kComponents[] = {
    weir::sdk::pure_transform<weir::enrich::Validate>(
        "enrich.validate", "Refuses events with missing fields, impossible values or timestamps far off",
        weir::enrich::ValidateConfig::kSchema),
    weir::sdk::pure_transform<weir::enrich::Units>(
        "enrich.units", "Brings numbers to one UCUM unit a quantity", weir::enrich::Units::kSchema)};

}  // namespace

WEIR_PLUGIN_NOTE("enrich", "1.0.0", "\"enrich.validate\":\"transform\",\"enrich.units\":\"transform\"")
WEIR_PLUGIN(kComponents)
