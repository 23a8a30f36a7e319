#include "applier.h"

#include "json_text.h"

namespace weir::mapping {

uint32_t MappedParser::Applier::resolve(const Pointer& pointer, uint32_t base) const {
  uint32_t node = pointer.from_root ? 0 : base;
  const auto go = [&](std::string_view key, uint32_t index) {
    if (tree_[node].kind == JsonKind::kObject) {
      node = tree_.member(node, key);
    } else {
      node = tree_[node].kind == JsonKind::kArray ? tree_.element(node, index) : kNone;
    }
    return node != kNone;
  };
  for (const Step& step : pointer.steps) {
    if (!step.filled) {
      if (!go(step.key, step.index)) return kNone;
    } else if (step.slot.name == Name::kPath) {
      for (const std::string_view key : path_) {
        if (!go(key, array_index(key))) return kNone;
      }
    } else {
      const std::string_view key = value_of(step.slot);
      if (!go(key, array_index(key))) return kNone;
    }
  }
  return node;
}

std::string MappedParser::Applier::text_of(const Pointer& pointer, uint32_t base) const {
  std::string out = tree_.pointer(pointer.from_root ? 0 : base);
  for (const Step& step : pointer.steps) {
    if (step.filled && step.slot.name == Name::kPath) {
      for (const std::string_view key : path_) append_token(out, key);
    } else {
      append_token(out, step.filled ? value_of(step.slot) : step.key);
    }
  }
  return out;
}

std::string_view MappedParser::Applier::value_of(const Slot& slot) const {
  switch (slot.name) {
    case Name::kVariable:
      return slot.variable < arrival_->variables.size() ? arrival_->variables[slot.variable]
                                                        : std::string_view();
    case Name::kItem:
      return item_key_;
    case Name::kKey:
      return key_;
    case Name::kPath:
      return path_text_;
    case Name::kFullName:
      return full_name_;
    case Name::kBaseName:
      return base_name_;
    case Name::kLocalName:
      return local_name_;
    case Name::kUnit:
      return unit_;
  }
  return {};
}

bool MappedParser::Applier::part(const TextRule& rule, const TextPart& part, uint32_t base,
                                 std::string_view* out) {
  if (part.kind == TextPart::Kind::kLiteral) return *out = part.literal, true;
  if (part.kind == TextPart::Kind::kSlot) return *out = value_of(part.slot), true;
  const uint32_t node = resolve(part.pointer, base);
  *out = {};
  if (node == kNone || tree_[node].kind == JsonKind::kNull)
    return part.optional || refuse_at(text_of(part.pointer, base), rule.place,
                                      node == kNone ? "is missing" : "is null, where text is wanted");
  if (tree_[node].kind >= JsonKind::kArray)
    return refuse(node, rule.place,
                  std::string("must be text, a number, true or false, not ") + name_of(tree_[node].kind));
  *out = tree_[node].text;
  return true;
}

bool MappedParser::Applier::text(const TextRule& rule, uint32_t base, std::string* scratch,
                                 std::string_view* out) {
  if (rule.text.size() == 1) return part(rule, rule.text[0], base, out);
  scratch->clear();
  for (const TextPart& piece : rule.text) {
    std::string_view view;
    if (!part(rule, piece, base, &view)) return false;
    *scratch += view;
  }
  *out = *scratch;
  return true;
}

bool MappedParser::Applier::time_of(const TimeRule& rule, uint32_t base, int64_t* ns, bool* there) {
  const uint32_t node = resolve(rule.pointer, base);
  *there = false;
  if (node == kNone) return rule.optional || refuse_at(text_of(rule.pointer, base), rule.place, "is missing");
  const JsonNode& json = tree_[node];
  const bool unset = json.kind == JsonKind::kNull || (json.kind == JsonKind::kText && json.text.empty()) ||
                     (rule.unit != TimeUnit::kRfc3339 && json.text == "0");
  if (unset && rule.optional) return true;
  if (json.kind != JsonKind::kText && json.kind != JsonKind::kNumber)
    return refuse(node, rule.place, std::string("must be a time, not ") + name_of(json.kind));
  *there = true;
  if (rule.unit != TimeUnit::kRfc3339) {
    const char* why = parse_unix_time(trimmed(json.text), rule.unit, ns);
    return why == nullptr || refuse(node, rule.place, why);
  }
  if (json.kind == JsonKind::kNumber)
    return refuse(
        node, rule.place,
        "is a number: say in the mapping what it counts, \"unit\": \"s\", \"ms\", \"us\" or \"ns\"");
  const char* why = parse_time_text(json.text, rule.zone, ns);
  if (why == nullptr) return true;
  const bool zone = std::string_view(why).starts_with("has no time zone");
  return refuse(
      node, rule.place,
      zone ? "has no time zone: say in the mapping which it is, \"zone\": \"Z\" or \"+01:00\"" : why);
}

// Sets the metadata of the newest event.
bool MappedParser::Applier::metadata(const std::vector<MetadataRule>& rules, uint32_t base) {
  if (metadata_scratch_.size() < rules.size()) metadata_scratch_.resize(rules.size());
  pairs_.clear();
  size_t bytes = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    std::string_view value;
    if (!text(rules[i].value, base, &metadata_scratch_[i], &value)) return false;
    if (value.empty()) continue;
    if (value.find('\0') != std::string_view::npos)
      return refuse_at("", rules[i].value.place, "gives metadata with a NUL character (\\u0000)");
    bytes += value.size();
    if (bytes > WEIR_BATCH_MAX_BYTES)
      return refuse_at("", rules[i].value.place, "gives metadata of more than 16 MiB");
    pairs_.emplace_back(rules[i].key, value);
  }
  out_->metadata(out_->count() - 1, pairs_);
  return true;
}

bool MappedParser::Applier::store(const TextRule& rule, std::string_view text, const char* what,
                                  bool may_be_empty, weir_ref* out) {
  const auto wrong = [&](const char* why) {
    // What the text came from, when it is one place of the payload.
    const bool pointed = rule.text.size() == 1 && rule.text[0].kind == TextPart::Kind::kPointer;
    return refuse_at(pointed ? text_of(rule.text[0].pointer, item_) : "", rule.place,
                     std::string("gives ") + what + why);
  };
  if (text.empty() && !may_be_empty) return wrong(" that is empty");
  if (text.size() > WEIR_TEXT_MAX_BYTES) return wrong(" longer than 4096 bytes");
  if (text.find('\0') != std::string_view::npos) return wrong(" with a NUL character (\\u0000)");
  *out = out_->text(text);
  return true;
}

void MappedParser::Applier::put(const Value& value, weir_event_v1* event) {
  event->value_type = value.type;
  event->value = value.bits;
  if (value.type == WEIR_STRING) event->value.ref = out_->text(value.text);
  if (value.type == WEIR_BYTES) event->value.ref = out_->bytes(value.text.data(), value.text.size());
}

bool MappedParser::Applier::begin_event(const std::string& rule, weir_event_v1** event) {
  if (out_->count() == WEIR_BATCH_MAX_EVENTS) return refuse_at("", rule, "gives more than 65536 events");
  *event = &out_->add();
  return true;
}

bool MappedParser::Applier::end_event(const std::string& rule) {
  return out_->bytes() <= WEIR_BATCH_MAX_BYTES || refuse_at("", rule, "gives events of more than 16 MiB");
}

std::string_view MappedParser::Applier::unit_name(std::string_view given) const {
  for (const auto& [name, unit] : plan_->unit_names) {
    if (name == given) return unit;
  }
  return given;
}

bool MappedParser::Applier::refuse_at(std::string pointer, std::string_view rule, const std::string& why) {
  fault_->message = (pointer.empty() ? std::string("the payload") : shown(pointer)) + ' ' + why;
  fault_->pointer = std::move(pointer);
  fault_->rule = rule;
  return false;
}

}  // namespace weir::mapping
