// The format "senml": Sensor Measurement Lists in JSON, RFC 8428.
//
// A pack is an array of records. A record may set base fields (bn, bt, bu, bv, bs, bver), which hold for it
// and all behind it. Name = bn + n, time = bt + t, value = bv + v, sum = bs + s, unit = u or else bu
// (section 4.5). A sum is an event of its own: its sensor type ends in ".sum", its unit is the unit times
// seconds (4.2).
#include <cmath>

#include "applier.h"
#include "json_text.h"

namespace weir::mapping {
namespace {

constexpr int64_t kVersion = 10;  // of RFC 8428; a larger one must not be read (section 4.4)
// Smaller times are relative to now (section 4.5.3).
constexpr int64_t kAbsoluteNs = int64_t{268'435'456} * 1'000'000'000;

// Both whole numbers: a whole number, unless that does not fit.
Value sum_of(const Value& a, const Value& b) {
  Value out;
  out.type = WEIR_I64;
  if (a.type == WEIR_I64 && b.type == WEIR_I64 &&
      !__builtin_add_overflow(a.bits.i64, b.bits.i64, &out.bits.i64))
    return out;
  const auto real = [](const Value& v) {
    return v.type == WEIR_I64 ? static_cast<double>(v.bits.i64) : v.bits.f64;
  };
  out.type = WEIR_F64;
  out.bits.f64 = real(a) + real(b);
  return out;
}

bool finite(const Value& value) { return value.type != WEIR_F64 || std::isfinite(value.bits.f64); }

Value zero() {
  Value out;
  out.type = WEIR_I64;
  return out;
}

}  // namespace

// The base fields so far, and the fields of the record at hand (nodes; kNone: it has none).
struct MappedParser::Applier::Pack {
  std::string_view base_name, base_unit;
  int64_t base_time_ns = 0;
  Value base_value = zero(), base_sum = zero();
  bool has_base_value = false, has_base_sum = false;

  uint32_t name = kNone, unit = kNone, time = kNone, value = kNone, sum = kNone;
  uint32_t values = 0;    // how many of v, vs, vb and vd there are
  bool only_base = true;  // nothing but base fields
};

bool MappedParser::Applier::senml() {
  if (tree_[0].kind != JsonKind::kArray)
    return refuse(0, "/format",
                  std::string("must be an array of SenML records, not ") + name_of(tree_[0].kind));
  Pack pack;
  for (uint32_t node = tree_.first(0); node != 0; node = tree_[node].next) {
    if (!record(pack, node)) return false;
  }
  return true;
}

bool MappedParser::Applier::record(Pack& pack, uint32_t node) {
  if (tree_[node].kind != JsonKind::kObject)
    return refuse(node, "/format",
                  std::string("must be a SenML record, an object, not ") + name_of(tree_[node].kind));
  item_ = node;
  pack.name = pack.unit = pack.time = pack.value = pack.sum = kNone;
  pack.values = 0;
  pack.only_base = true;
  for (uint32_t field = tree_.first(node); field != 0; field = tree_[field].next) {
    if (!record_field(pack, field)) return false;
  }
  if (pack.values > 1) return refuse(node, "/format", "has more than one of v, vs, vb and vd");
  return record_value(pack, node);
}

bool MappedParser::Applier::record_field(Pack& pack, uint32_t node) {
  const JsonNode& json = tree_[node];
  const std::string_view key = json.key;
  const auto want = [&](JsonKind kind) {
    return json.kind == kind ||
           refuse(node, "/format", std::string("must be ") + name_of(kind) + ", not " + name_of(json.kind));
  };
  const auto number = [&](Value* out) {
    if (!want(JsonKind::kNumber)) return false;
    return convert({"", As::kNumber, {}}, json, out, &why_) == Conversion::kTaken ||
           refuse(node, "/format", why_);
  };
  const auto field = [&](uint32_t* slot) { return pack.only_base = false, *slot = node, true; };
  const auto value = [&] { return ++pack.values, field(&pack.value); };
  if (key == "bn") return pack.base_name = json.text, want(JsonKind::kText);
  if (key == "bu") return pack.base_unit = json.text, want(JsonKind::kText);
  if (key == "bv") return pack.has_base_value = true, number(&pack.base_value);
  if (key == "bs") return pack.has_base_sum = true, number(&pack.base_sum);
  if (key == "bt") {
    if (!want(JsonKind::kNumber)) return false;
    const char* why = parse_unix_time(json.text, TimeUnit::kSeconds, &pack.base_time_ns);
    return why == nullptr || refuse(node, "/format", why);
  }
  if (key == "bver") {
    Value version;
    if (!number(&version)) return false;
    return (version.type == WEIR_I64 && version.bits.i64 <= kVersion) ||
           refuse(node, "/format", "is a SenML version that is not known here: 10 is the newest");
  }
  if (key == "n") return want(JsonKind::kText) && field(&pack.name);
  if (key == "u") return want(JsonKind::kText) && field(&pack.unit);
  if (key == "t") return want(JsonKind::kNumber) && field(&pack.time);
  if (key == "s") return want(JsonKind::kNumber) && field(&pack.sum);
  if (key == "v") return want(JsonKind::kNumber) && value();
  if (key == "vs" || key == "vd") return want(JsonKind::kText) && value();
  if (key == "vb") return want(JsonKind::kBoolean) && value();
  // Section 4.4: what is not known is ignored, unless its name says that it must not be.
  return !key.ends_with('_') || refuse(node, "/format", "is not known here, and SenML forbids to ignore it");
}

bool MappedParser::Applier::record_value(Pack& pack, uint32_t node) {
  if (pack.only_base) return true;
  const bool sum = pack.sum != kNone || pack.has_base_sum;
  Value value = pack.base_value;
  if (pack.values == 1) {
    const JsonNode& json = tree_[pack.value];
    if (json.key == "vd") {
      if (!decode_base64url(json.text, &bytes_scratch_))
        return refuse(pack.value, "/format", "is not base64url without padding");
      if (bytes_scratch_.empty()) return refuse(pack.value, "/format", "is empty");
      value.type = WEIR_BYTES;
      value.text = bytes_scratch_;
    } else {
      if (convert({}, json, &value, &why_) != Conversion::kTaken) return refuse(pack.value, "/format", why_);
      if (json.key == "v" && pack.has_base_value) value = sum_of(pack.base_value, value);
      if (!finite(value))
        return refuse(pack.value, "/format",
                      "and its base value are beyond the range of a 64-bit floating-point number");
    }
  } else if (!pack.has_base_value && !sum) {
    return refuse(node, "/format", "has no value: one of v, vs, vb, vd or s is wanted");
  }
  if ((pack.values == 1 || pack.has_base_value) && !record_event(pack, node, value, false)) return false;
  if (!sum) return true;
  Value total = pack.base_sum;
  if (pack.sum != kNone) {
    if (convert({}, tree_[pack.sum], &total, &why_) != Conversion::kTaken)
      return refuse(pack.sum, "/format", why_);
    if (pack.has_base_sum) total = sum_of(pack.base_sum, total);
    if (!finite(total))
      return refuse(pack.sum, "/format",
                    "and its base sum are beyond the range of a 64-bit floating-point number");
  }
  return record_event(pack, node, total, true);
}

bool MappedParser::Applier::record_event(Pack& pack, uint32_t node, const Value& value, bool sum) {
  weir_event_v1* event = nullptr;
  if (!begin_event("/format", &event) || !record_names(pack, node, sum, event) ||
      !record_time(pack, node, event))
    return false;
  put(value, event);
  return (plan_->metadata.empty() || metadata(plan_->metadata, node)) && end_event("/format");
}

bool MappedParser::Applier::record_names(const Pack& pack, uint32_t node, bool sum, weir_event_v1* event) {
  base_name_ = pack.base_name;
  local_name_ = pack.name == kNone ? std::string_view() : tree_[pack.name].text;
  (full_name_scratch_ = base_name_) += local_name_;
  full_name_ = full_name_scratch_;
  unit_ = unit_name(pack.unit == kNone ? pack.base_unit : tree_[pack.unit].text);

  const TextRule own{"/format", {}};
  std::string_view device = full_name_, type = local_name_;
  if (plan_->device) {
    if (!text(*plan_->device, node, &scratch_, &device)) return false;
  } else if (!base_name_.empty() && !local_name_.empty()) {
    device = base_name_;
    // The separator that leads over to the name.
    if (device.size() > 1 && std::string_view(":/.-_").find(device.back()) != std::string_view::npos)
      device.remove_suffix(1);
  }
  if (!store(plan_->device ? *plan_->device : own, device, "a device", false, &event->device_id))
    return false;
  if (plan_->type) {
    if (!text(*plan_->type, node, &type_scratch_, &type)) return false;
  } else if (base_name_.empty() || local_name_.empty()) {
    return refuse(
        node, "/format",
        "has a name in one piece, " + shown(full_name_) +
            ", so what is measured is not known: say it in the mapping, such as \"type\": \"{unit}\"");
  }
  std::string unit(unit_);
  if (sum) {
    (type_scratch_ = std::string(type)) += ".sum";
    type = type_scratch_;
    if (!unit.empty()) unit += ".s";
  }
  return store(plan_->type ? *plan_->type : own, type, "a sensor type", false, &event->sensor_type) &&
         store(own, unit, "a unit", true, &event->unit);
}

bool MappedParser::Applier::record_time(const Pack& pack, uint32_t node, weir_event_v1* event) {
  int64_t ns = 0;
  if (pack.time != kNone) {
    const char* why = parse_unix_time(tree_[pack.time].text, TimeUnit::kSeconds, &ns);
    if (why != nullptr) return refuse(pack.time, "/format", why);
  }
  constexpr const char* kTooFar = "has a time outside of the years 1678 to 2262 that nanoseconds can count";
  if (__builtin_add_overflow(ns, pack.base_time_ns, &ns)) return refuse(node, "/format", kTooFar);
  if (ns == 0) return event->flags |= WEIR_NO_DEVICE_TIME, true;
  if (ns < kAbsoluteNs) {
    if (arrival_->received_ns == 0)
      return refuse(node, "/format",
                    "has a time relative to now, and when it was received is not known here");
    if (__builtin_add_overflow(ns, arrival_->received_ns, &ns)) return refuse(node, "/format", kTooFar);
  }
  event->timestamp_ns = ns;
  return true;
}

}  // namespace weir::mapping
