// The format "readings".
#include <algorithm>
#include <charconv>

#include "applier.h"
#include "json_text.h"
#include "weir/text.hpp"

namespace weir::mapping {
namespace {

bool any_matches(const std::vector<std::string>& globs, std::string_view key, std::string_view path) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return sdk::matches_pattern(key, glob) || sdk::matches_pattern(path, glob);
  });
}

}  // namespace

bool MappedParser::Applier::apply(const Plan& plan, std::string_view payload, const Arrival& arrival,
                                  sdk::BatchBuilder& out, PayloadFault* fault) {
  plan_ = &plan;
  arrival_ = &arrival;
  out_ = &out;
  fault_ = fault;
  item_key_ = key_ = {};
  out.clear();
  bool taken = variables() && this->payload(payload) && (plan.senml ? senml() : readings());
  if (taken && out.count() == 0 && !plan.allow_empty)
    taken = refuse_at("", "",
                      "holds no reading that the mapping asks for (\"allow_empty\": true lets that pass)");
  if (!taken) out.clear();
  return taken;
}

// They come from a path or topic, which need not be text.
bool MappedParser::Applier::variables() {
  for (size_t i = 0; i < plan_->variables.size() && i < arrival_->variables.size(); ++i) {
    const std::string_view value = arrival_->variables[i];
    if (simdjson::validate_utf8(value.data(), value.size())) continue;
    fault_->pointer.clear();
    fault_->rule.clear();
    fault_->message = "the value of {" + plan_->variables[i] + "} is not valid UTF-8";
    return false;
  }
  return true;
}

bool MappedParser::Applier::payload(std::string_view payload) {
  JsonFault wrong;
  if (plan_->text_payload ? tree_.read_text(payload, "the payload", &wrong)
                          : tree_.read(payload, "the payload", &wrong))
    return true;
  fault_->pointer = wrong.pointer;
  fault_->message = wrong.message;
  fault_->rule.clear();
  return false;
}

bool MappedParser::Applier::readings() {
  if (!plan_->each) return item(0);
  return each(*plan_->each, 0, false, &item_key_, [&](uint32_t node) { return item(node); });
}

// Calls `use` for each member or element, while *name is its key.
template <typename Use>
bool MappedParser::Applier::each(const Each& rule, uint32_t base, bool optional, std::string_view* name,
                                 Use use) {
  const uint32_t list = resolve(rule.pointer, base);
  if (list == kNone || tree_[list].kind == JsonKind::kNull)
    return optional ||
           refuse_at(text_of(rule.pointer, base), rule.place, "is missing: an array or object is wanted");
  const bool object = tree_[list].kind == JsonKind::kObject;
  if (!object && tree_[list].kind != JsonKind::kArray)
    return refuse(list, rule.place,
                  std::string("must be an array or object, not ") + name_of(tree_[list].kind));
  std::array<char, 12>& digits = name == &item_key_ ? item_digits_ : key_digits_;
  for (uint32_t node = tree_.first(list); node != 0; node = tree_[node].next) {
    if (object) {
      *name = tree_[node].key;
    } else {
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), tree_[node].index).ptr;
      *name = {digits.data(), static_cast<size_t>(end - digits.data())};
    }
    if (!rule.filter.only.empty() && !any_matches(rule.filter.only, *name, *name)) continue;
    if (any_matches(rule.filter.ignore, *name, *name)) continue;
    if (!use(node)) return false;
  }
  return true;
}

bool MappedParser::Applier::item(uint32_t node) {
  item_ = node;
  has_device_ = has_time_ = has_metadata_ = false;
  return std::all_of(plan_->readings.begin(), plan_->readings.end(),
                     [&](const Reading& rule) { return reading(rule); });
}

bool MappedParser::Applier::reading(const Reading& rule) {
  key_ = {};
  if (rule.each)
    return each(*rule.each, item_, rule.optional, &key_, [&](uint32_t node) { return one(rule, node); });
  if (!rule.every_field) return one(rule, item_);
  const uint32_t object = resolve(rule.value, item_);
  if (object == kNone || tree_[object].kind == JsonKind::kNull)
    return rule.optional || refuse_at(text_of(rule.value, item_), rule.place + "/every_field",
                                      "is missing: an object is wanted");
  if (tree_[object].kind != JsonKind::kObject)
    return refuse(object, rule.place + "/every_field",
                  std::string("must be an object, not ") + name_of(tree_[object].kind));
  path_.clear();
  path_text_.clear();
  return fields(rule, object);
}

bool MappedParser::Applier::one(const Reading& rule, uint32_t base) {
  const uint32_t node = resolve(rule.value, base);
  if (node == kNone || tree_[node].kind == JsonKind::kNull) {
    return rule.optional ||
           refuse_at(text_of(rule.value, base), rule.place + "/value",
                     node == kNone ? "is missing (\"optional\": true in the reading lets that pass)"
                                   : "is null (\"optional\": true in the reading lets that pass)");
  }
  if (tree_[node].kind >= JsonKind::kArray)
    return refuse(node, rule.place + "/value",
                  std::string("must be a number, true, false or text, not ") + name_of(tree_[node].kind));
  Value value;
  if (convert(rule.conversion, tree_[node], &value, &why_) != Conversion::kTaken)
    return refuse(node, rule.place + "/value", why_);
  return event(rule, base, value);
}

// Goes down as deep as the tree, which has a limit.
bool MappedParser::Applier::fields(const Reading& rule, uint32_t object) {
  for (uint32_t node = tree_.first(object); node != 0; node = tree_[node].next) {
    const size_t before = path_text_.size();
    key_ = tree_[node].key;
    path_.push_back(key_);
    if (before != 0) path_text_ += '.';
    path_text_ += key_;
    if (!any_matches(rule.filter.ignore, key_, path_text_) && !field(rule, node)) return false;
    path_.pop_back();
    path_text_.resize(before);
  }
  return true;
}

bool MappedParser::Applier::field(const Reading& rule, uint32_t node) {
  const JsonKind kind = tree_[node].kind;
  if (kind == JsonKind::kObject) return !rule.nested || fields(rule, node);
  if (kind == JsonKind::kNull || kind == JsonKind::kArray) return true;
  if (!rule.filter.only.empty() && !any_matches(rule.filter.only, key_, path_text_)) return true;
  // Text is a reading only when the mapping says what it means.
  const ValueRule& conversion = rule.conversion;
  if (kind == JsonKind::kText && conversion.as == As::kWritten && !conversion.words) return true;
  Value value;
  // Here "as": "number" is about text; a boolean is a reading all the same.
  if (kind == JsonKind::kBoolean && conversion.as == As::kNumber) {
    value.type = WEIR_BOOL;
    value.bits.boolean = tree_[node].text == "true" ? 1 : 0;
    return event(rule, item_, value);
  }
  switch (convert(conversion, tree_[node], &value, &why_)) {
    case Conversion::kTaken:
      return event(rule, item_, value);
    case Conversion::kNoReading:
      return true;
    case Conversion::kWrong:
      break;
  }
  return refuse(node, rule.place, why_);
}

bool MappedParser::Applier::event(const Reading& rule, uint32_t base, const Value& value) {
  weir_event_v1* event = nullptr;
  std::string_view type;
  if (!begin_event(rule.place, &event) || !device(rule, base, event) || !sensor_type(rule, base, &type) ||
      !store(rule.type, type, "a sensor type", false, &event->sensor_type) ||
      !unit(rule, base, type, event) || !time(rule, base, event)) {
    return false;
  }
  put(value, event);
  return event_metadata(rule, base) && end_event(rule.place);
}

bool MappedParser::Applier::sensor_type(const Reading& rule, uint32_t base, std::string_view* out) {
  const std::string* by_key = nullptr;  // a path says more than a key
  for (const auto& [key, type] : rule.types) {
    if (key == path_text_) return *out = type, true;
    if (key == key_) by_key = &type;
  }
  if (by_key != nullptr) return *out = *by_key, true;
  return text(rule.type, base, &type_scratch_, out);
}

bool MappedParser::Applier::device(const Reading& rule, uint32_t base, weir_event_v1* event) {
  std::string_view id;
  if (rule.device) {
    return text(*rule.device, base, &scratch_, &id) &&
           store(*rule.device, id, "a device", false, &event->device_id);
  }
  if (!has_device_) {
    if (!text(*plan_->device, item_, &scratch_, &id) ||
        !store(*plan_->device, id, "a device", false, &device_))
      return false;
    has_device_ = true;
  }
  event->device_id = device_;
  return true;
}

bool MappedParser::Applier::time(const Reading& rule, uint32_t base, weir_event_v1* event) {
  bool there = false;
  if (rule.time) {
    if (!time_of(*rule.time, base, &event->timestamp_ns, &there)) return false;
  } else if (plan_->time) {
    if (!has_time_ && !time_of(*plan_->time, item_, &time_ns_, &time_there_)) return false;
    has_time_ = true;
    there = time_there_;
    event->timestamp_ns = time_ns_;
  }
  if (there) return true;
  event->timestamp_ns = 0;
  event->flags |= WEIR_NO_DEVICE_TIME;
  return true;
}

bool MappedParser::Applier::unit(const Reading& rule, uint32_t base, std::string_view type,
                                 weir_event_v1* event) {
  if (rule.unit) {
    std::string_view given;
    if (!text(*rule.unit, base, &scratch_, &given)) return false;
    if (!given.empty()) return store(*rule.unit, unit_name(given), "a unit", true, &event->unit);
  }
  for (const auto& [glob, unit] : plan_->units) {
    if (sdk::matches_pattern(type, glob)) return event->unit = out_->text(unit), true;
  }
  return true;
}

bool MappedParser::Applier::event_metadata(const Reading& rule, uint32_t base) {
  if (!rule.metadata.empty()) return metadata(rule.metadata, base);
  if (plan_->metadata.empty()) return true;
  weir_event_v1& event = out_->event(out_->count() - 1);
  if (has_metadata_) {
    event.metadata_offset = metadata_offset_;
    event.metadata_count = metadata_count_;
    return true;
  }
  if (!metadata(plan_->metadata, item_)) return false;
  has_metadata_ = true;
  metadata_offset_ = event.metadata_offset;
  metadata_count_ = event.metadata_count;
  return true;
}

}  // namespace weir::mapping
