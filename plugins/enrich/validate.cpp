#include "validate.h"

#include <charconv>
#include <string>

#include "conversion.h"
#include "ref_cache.h"

namespace weir::enrich {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

bool has_metadata(const sdk::EventView& event, std::string_view key) {
  for (uint32_t i = 0; i < event.metadata_count(); ++i) {
    if (event.metadata(i).first == key) return true;
  }
  return false;
}

bool is_of_kind(uint32_t value_type, ValueKind kind) {
  switch (kind) {
    case ValueKind::kAny:
      return true;
    case ValueKind::kNumber:
      return value_type == WEIR_F64 || value_type == WEIR_I64;
    case ValueKind::kInteger:
      return value_type == WEIR_I64;
    case ValueKind::kBoolean:
      return value_type == WEIR_BOOL;
    case ValueKind::kString:
      return value_type == WEIR_STRING;
    case ValueKind::kBytes:
      return value_type == WEIR_BYTES;
  }
  return false;
}

std::string_view name_of(ValueKind kind) {
  constexpr std::string_view kNames[] = {"anything",  "a number", "an integer",
                                         "a boolean", "a string", "bytes"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view kind_of(uint32_t value_type) {
  switch (value_type) {
    case WEIR_F64:
      return "a number";
    case WEIR_I64:
      return "an integer";
    case WEIR_BOOL:
      return "a boolean";
    case WEIR_STRING:
      return "a string";
    case WEIR_BYTES:
      return "bytes";
    default:
      return "of an unknown type";
  }
}

// The shortest text that reads back as the same number.
std::string text_of(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

// "3600s": whole seconds are enough to judge a clock by.
std::string seconds(int64_t later_ns, int64_t earlier_ns) {
  return std::to_string(later_ns / kSecond - earlier_ns / kSecond) + "s";
}

Violation check_range(const sdk::EventView& event, const Range& range) {
  double value = 0;
  if (!event.number(&value)) return Violation::kWrongType;
  if (range.unit != nullptr && event.record().unit.size != 0 && event.unit() != range.unit->code) {
    const Unit* unit = find_unit(event.unit());
    if (unit == nullptr || unit->quantity != range.unit->quantity) return Violation::kWrongUnit;
    value = convert(*unit, *range.unit).apply(value);
  }
  // Written so that a conversion that ran over to infinity or to no number at all is out of range as well.
  const bool inside = (!range.min || value >= *range.min) && (!range.max || value <= *range.max);
  return inside ? Violation::kNone : Violation::kOutOfRange;
}

}  // namespace

Validate::Validate(sdk::Host, std::string_view config) : config_(ValidateConfig::parse(config)) {}

void Validate::process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) {
  RefCache<const SensorRule*> rules;
  for (uint32_t i = 0; i < batch->count; ++i) {
    const sdk::EventView event(batch, i);
    const SensorRule* rule = rules.get(event.record().sensor_type, [&]() -> const SensorRule* {
      const auto found = config_.sensors.find(event.sensor_type());
      return found == config_.sensors.end() ? nullptr : &found->second;
    });
    const Violation violation = check(event, rule);
    if (violation == Violation::kNone) {
      output.keep(i);
    } else {
      refuse(event, i, violation, rule, output);
    }
  }
}

Violation Validate::check(const sdk::EventView& event, const SensorRule* rule) const {
  if (const Violation violation = check_fields(event); violation != Violation::kNone) return violation;
  if (rule != nullptr) {
    if (!is_of_kind(event.record().value_type, rule->kind)) return Violation::kWrongType;
    if (rule->range) {
      if (const Violation violation = check_range(event, *rule->range); violation != Violation::kNone)
        return violation;
    }
  }
  return check_time(event.record());
}

Violation Validate::check_fields(const sdk::EventView& event) const {
  const weir_event_v1& record = event.record();
  if (config_.needs_unit && record.unit.size == 0) return Violation::kMissingField;
  if (config_.needs_timestamp && (record.flags & WEIR_NO_DEVICE_TIME) != 0) return Violation::kMissingField;
  for (const std::string& key : config_.needed_metadata) {
    if (!has_metadata(event, key)) return Violation::kMissingField;
  }
  return Violation::kNone;
}

Violation Validate::check_time(const weir_event_v1& record) const {
  if ((record.flags & (WEIR_NO_DEVICE_TIME | WEIR_CLOCK_SUSPECT)) != 0) return Violation::kNone;
  int64_t age = 0;
  // A device may claim any time: a difference that does not fit is far off in the direction of its sign.
  if (__builtin_sub_overflow(record.received_ns, record.timestamp_ns, &age)) {
    age = record.timestamp_ns < 0 ? INT64_MAX : -INT64_MAX;
  }
  if (config_.max_age_ns && age > *config_.max_age_ns) return Violation::kTooOld;
  if (config_.max_ahead_ns && age < -*config_.max_ahead_ns) return Violation::kTooFarAhead;
  return Violation::kNone;
}

void Validate::refuse(const sdk::EventView& event, uint32_t i, Violation violation, const SensorRule* rule,
                      sdk::Output& output) const {
  constexpr std::string_view kReasons[] = {"",           "missing field", "wrong type",   "out of range",
                                           "wrong unit", "too old",       "too far ahead"};
  if (config_.drop) {
    output.drop(i, kReasons[static_cast<size_t>(violation)]);
  } else {
    output.reject(i, static_cast<uint32_t>(violation), explain(event, violation, rule));
  }
}

// The field, what it is, and what it should be.
std::string Validate::explain(const sdk::EventView& event, Violation violation,
                              const SensorRule* rule) const {
  const weir_event_v1& record = event.record();
  std::string text;
  if (violation == Violation::kMissingField) {
    if (config_.needs_unit && record.unit.size == 0) return "unit is missing";
    if (config_.needs_timestamp && (record.flags & WEIR_NO_DEVICE_TIME) != 0) return "timestamp is missing";
    for (const std::string& key : config_.needed_metadata) {
      if (!has_metadata(event, key)) return text.append("metadata.").append(key).append(" is missing");
    }
  }
  if (violation == Violation::kTooOld) {
    return text.append("timestamp is ")
        .append(seconds(record.received_ns, record.timestamp_ns))
        .append(" before its receipt, more than max_age ")
        .append(config_.max_age);
  }
  if (violation == Violation::kTooFarAhead) {
    return text.append("timestamp is ")
        .append(seconds(record.timestamp_ns, record.received_ns))
        .append(" after its receipt, more than max_ahead ")
        .append(config_.max_ahead);
  }
  text.append("value of ").append(event.sensor_type()).append(" is ");
  if (violation == Violation::kWrongType) {
    const ValueKind wanted = rule->kind == ValueKind::kAny ? ValueKind::kNumber : rule->kind;
    return text.append(kind_of(record.value_type)).append(", not ").append(name_of(wanted));
  }
  const Range& range = *rule->range;
  if (violation == Violation::kWrongUnit) {
    return text.append("in ")
        .append(event.unit())
        .append(", which cannot be compared with ")
        .append(range.unit->code);
  }
  double value = 0;
  event.number(&value);
  text.append(text_of(value));
  if (record.unit.size != 0) text.append(" ").append(event.unit());
  text.append(", outside ").append(range.min ? text_of(*range.min) : "-inf").append(" to ");
  text.append(range.max ? text_of(*range.max) : "inf");
  if (range.unit != nullptr) text.append(" ").append(range.unit->code);
  return text;
}

}  // namespace weir::enrich
