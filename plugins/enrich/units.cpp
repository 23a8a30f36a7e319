#include "units.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "config_values.h"
#include "ref_cache.h"

namespace weir::enrich {
namespace {

constexpr uint32_t kUnknownUnit = 1;
constexpr uint32_t kNotFinite = 2;

// "Cel, K, [degF]": for an error message.
std::string units_of(std::string_view quantity) {
  std::string list;
  for (const Unit& unit : kUnits) {
    if (unit.quantity == quantity) list.append(list.empty() ? "" : ", ").append(unit.code);
  }
  return list;
}

std::string quantities() {
  std::string list;
  std::string_view last;
  for (const Unit& unit : kUnits) {
    if (unit.quantity != last) list.append(list.empty() ? "" : ", ").append(unit.quantity);
    last = unit.quantity;
  }
  return list;
}

}  // namespace

const char Units::kSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "targets": {
      "type": "object", "additionalProperties": { "type": "string", "minLength": 1 },
      "description": "A quantity's unit other than the canonical one: {\"pressure\": \"kPa\", \"energy\": \"kW.h\"}. Canonical are Cel, Pa, m/s, m, J, W, V, A, Ohm, Hz, kg, m3, s, lx, %, [ppm], dBm and so on."
    },
    "unknown": {
      "enum": ["keep", "drop", "dead-letter"], "default": "keep",
      "description": "What happens to a number whose unit is not in the table: it goes on as it is, is dropped, or goes to the dead letters."
    }
  }
})";

Units::Units(sdk::Host, std::string_view config) {
  for (size_t i = 0; i < kUnitCount; ++i) {
    const Unit* to = canonical_unit(kUnits[i].quantity);
    steps_[i] = {to, convert(kUnits[i], *to)};
  }
  configure(config);
}

void Units::configure(std::string_view config) {
  const nlohmann::json tree = nlohmann::json::parse(config, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) throw sdk::Failure(WEIR_E_INVALID, "the configuration must be a JSON object");
  for (const auto& [key, value] : tree.items()) {
    if (key == "unknown") {
      if (value != "keep" && value != "drop" && value != "dead-letter") {
        throw sdk::Failure(WEIR_E_INVALID, "unknown must be \"keep\", \"drop\" or \"dead-letter\"",
                           "/unknown");
      }
      unknown_ = value == "keep" ? Unknown::kKeep : value == "drop" ? Unknown::kDrop : Unknown::kReject;
    } else if (key == "targets") {
      if (!value.is_object()) throw sdk::Failure(WEIR_E_INVALID, "targets must be an object", "/targets");
      for (const auto& [quantity, unit] : value.items()) {
        if (!unit.is_string())
          throw sdk::Failure(WEIR_E_INVALID, "a target must be a unit", "/targets" + token(quantity));
        set_target(quantity, unit.get_ref<const std::string&>());
      }
    } else {
      throw sdk::Failure(WEIR_E_INVALID, "unknown key; known are targets and unknown", token(key));
    }
  }
}

void Units::set_target(std::string_view quantity, std::string_view unit) {
  const std::string pointer = "/targets" + token(quantity);
  if (canonical_unit(quantity) == nullptr) {
    throw sdk::Failure(WEIR_E_INVALID, "no quantity of this name; there are " + quantities(), pointer);
  }
  const Unit* to = find_unit(unit);
  if (to == nullptr || to->quantity != quantity) {
    throw sdk::Failure(WEIR_E_INVALID,
                       std::string(unit) + " is no unit of this quantity; there are " + units_of(quantity),
                       pointer);
  }
  for (size_t i = 0; i < kUnitCount; ++i) {
    if (kUnits[i].quantity == quantity) steps_[i] = {to, convert(kUnits[i], *to)};
  }
}

void Units::process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) {
  RefCache<uint16_t> known;
  for (uint32_t i = 0; i < batch->count; ++i) {
    const sdk::EventView event(batch, i);
    const weir_event_v1& record = event.record();
    const bool is_number = record.value_type == WEIR_F64 || record.value_type == WEIR_I64;
    if (record.unit.size == 0 || !is_number) {
      output.keep(i);
      continue;
    }
    const uint16_t place = known.get(record.unit, [&] { return kUnitIndex.find(event.unit()); });
    if (place == UnitIndex::kNone) {
      treat_unknown(event, i, output);
    } else {
      convert_event(event, i, steps_[place], output);
    }
  }
}

void Units::treat_unknown(const sdk::EventView& event, uint32_t i, sdk::Output& output) const {
  if (unknown_ == Unknown::kKeep) {
    output.keep(i);
  } else if (unknown_ == Unknown::kDrop) {
    output.drop(i, "unknown unit");
  } else {
    std::string message("unit \"");
    message.append(event.unit()).append("\" of ").append(event.sensor_type());
    output.reject(i, kUnknownUnit, message.append(" is not in the unit table"));
  }
}

void Units::convert_event(const sdk::EventView& event, uint32_t i, const Step& step, sdk::Output& output) {
  const weir_event_v1& record = event.record();
  const Conversion& conversion = step.conversion;
  const bool renamed = event.unit() != step.to->code;
  if (conversion.is_identity()) {
    if (renamed) {
      output.amend_text(i, WEIR_FIELD_UNIT, step.to->code);
    } else {
      output.keep(i);
    }
    return;
  }
  weir_amendment amendment{};
  amendment.field = WEIR_FIELD_VALUE;
  const auto whole = record.value_type == WEIR_I64 ? conversion.apply_whole(record.value.i64) : std::nullopt;
  if (whole) {
    amendment.value_type = WEIR_I64;
    amendment.value.i64 = *whole;
  } else {
    double number = 0;
    event.number(&number);
    amendment.value_type = WEIR_F64;
    amendment.value.f64 = conversion.apply(number);
    if (!std::isfinite(amendment.value.f64)) {
      std::string message("value of ");
      message.append(event.sensor_type()).append(" is too large to be converted to ");
      output.reject(i, kNotFinite, message.append(step.to->code));
      return;
    }
  }
  output.amend(i, amendment);
  output.amend_text(i, WEIR_FIELD_UNIT, step.to->code);
}

}  // namespace weir::enrich
