#include "compiler.h"

#include <algorithm>

#include "json_text.h"
#include "name.h"

namespace weir::mapping {
namespace {

constexpr uint32_t kRoot = 0;
constexpr uint32_t kNone = JsonTree::kNone;

}  // namespace

bool Compiler::compile(std::string_view json, std::span<const std::string_view> given) {
  if (json.size() > kMaxBytes) return refuse_at("", "the mapping is over 1 MiB");
  JsonFault wrong;
  if (!tree_.read(json, "the mapping", &wrong))
    return fault_->pointer = wrong.pointer, fault_->message = wrong.message, false;
  if (!expect(kRoot, JsonKind::kObject, "an object with the key \"readings\"")) return false;
  if (!format()) return false;
  const bool known =
      plan_.senml
          ? keys(kRoot, {"format", "template", "device", "type", "unit_names", "metadata", "allow_empty"})
          : keys(kRoot, {"format", "payload", "template", "for_each", "device", "time", "units", "unit_names",
                         "words", "metadata", "readings", "allow_empty"});
  if (!known || !variables(given)) return false;
  if (!flag(kRoot, "allow_empty", &plan_.allow_empty) || !text_table(kRoot, "unit_names", &plan_.unit_names))
    return false;
  return plan_.senml ? senml() : payload_form() && readings();
}

bool Compiler::format() {
  std::string_view format = "readings";
  bool there = false;
  if (!string(kRoot, "format", &format, &there)) return false;
  plan_.senml = format == "senml";
  return plan_.senml || format == "readings" ||
         refuse_at("/format", "must be \"readings\" (the default) or \"senml\"");
}

bool Compiler::variables(std::span<const std::string_view> given) {
  plan_.variables.assign(given.begin(), given.end());
  std::string_view written;
  bool there = false;
  if (!string(kRoot, "template", &written, &there)) return false;
  if (there) {
    TemplateFault wrong;
    plan_.address = Template::compile(written, &wrong);
    if (!plan_.address) return refuse_at("/template", wrong.message);
    Scope meant;  // names that the mapping itself gives a meaning
    const std::vector<std::string> none;
    meant.variables = &none;
    meant.senml = plan_.senml;
    meant.item = meant.key = meant.path = !plan_.senml;
    for (const std::string& name : plan_.address->names()) {
      if (std::find(plan_.variables.begin(), plan_.variables.end(), name) != plan_.variables.end())
        return refuse_at("/template", "has {" + name + "}, which is known without it");
      Slot ignored;
      if (meant.find(name, &ignored))
        return refuse_at("/template", "has {" + name + "}, a name that means something else in a mapping");
      plan_.variables.push_back(name);
    }
  }
  scope_.variables = &plan_.variables;
  return true;
}

bool Compiler::payload_form() {
  std::string_view form = "json";
  bool there = false;
  if (!string(kRoot, "payload", &form, &there)) return false;
  plan_.text_payload = form == "text";
  return plan_.text_payload || form == "json" ||
         refuse_at("/payload", "must be \"json\" (the default) or \"text\"");
}

bool Compiler::senml() {
  scope_.senml = true;
  return text_rule(kRoot, "device", scope_, &plan_.device) && text_rule(kRoot, "type", scope_, &plan_.type) &&
         metadata(kRoot, scope_, &plan_.metadata);
}

bool Compiler::readings() {
  if (!each(kRoot, "for_each", &plan_.each)) return false;
  scope_.item = plan_.each.has_value();
  if (!text_rule(kRoot, "device", scope_, &plan_.device) || !time_rule(kRoot, scope_, &plan_.time) ||
      !metadata(kRoot, scope_, &plan_.metadata) || !text_table(kRoot, "units", &plan_.units) ||
      !words(kRoot, &words_)) {
    return false;
  }
  const uint32_t list = member(kRoot, "readings");
  if (list == kNone) return refuse_at("/readings", "is missing: it lists what becomes an event");
  if (!expect(list, JsonKind::kArray, "an array of readings")) return false;
  if (tree_[list].size == 0) return refuse(list, "must hold at least one reading");
  if (tree_[list].size > kMaxReadings) return refuse(list, "holds more than 256 readings");
  for (uint32_t node = tree_.first(list); node != 0; node = tree_[node].next) {
    if (!reading(node)) return false;
  }
  return true;
}

bool Compiler::reading(uint32_t node) {
  if (!expect(node, JsonKind::kObject, "an object with \"type\" and \"value\"")) return false;
  Reading& out = plan_.readings.emplace_back();
  out.place = tree_.pointer(node);
  Scope scope = scope_;
  return what_is_read(node, &scope, &out) && overrides(node, scope, &out) &&
         flag(node, "optional", &out.optional) && value_rule(node, &out.conversion) &&
         (!out.every_field || out.conversion.as != As::kBoolean ||
          refuse_at(place(node, "as"),
                    "cannot be \"boolean\" for every field: name the fields, each with a \"value\""));
}

// "value", with "for_each" or without, or "every_field".
bool Compiler::what_is_read(uint32_t node, Scope* scope, Reading* out) {
  const bool one = member(node, "value") != kNone;
  out->every_field = member(node, "every_field") != kNone;
  if (one == out->every_field)
    return refuse(node,
                  one ? "has \"value\" and \"every_field\": one of them must go"
                      : "has neither \"value\" (a pointer to one value) nor \"every_field\" (to an object)");
  if (out->every_field) return field_rules(node, out) && (scope->key = scope->path = true);
  if (!keys(node,
            {"type", "value", "for_each", "unit", "time", "device", "metadata", "as", "words", "optional"}))
    return false;
  if (!each(node, "for_each", &out->each)) return false;
  scope->key = out->each.has_value();
  if (!pointer(node, "value", *scope, &out->value)) return false;
  return member(node, "type") != kNone ||
         refuse_at(place(node, "type"), "is missing: it names the sensor type");
}

bool Compiler::field_rules(uint32_t node, Reading* out) {
  if (!keys(node, {"type", "every_field", "nested", "only", "ignore", "types", "unit", "time", "device",
                   "metadata", "as", "words", "optional"})) {
    return false;
  }
  return pointer(node, "every_field", scope_, &out->value) && flag(node, "nested", &out->nested) &&
         filter(node, &out->filter) && text_table(node, "types", &out->types);
}

bool Compiler::overrides(uint32_t node, const Scope& scope, Reading* out) {
  std::optional<TextRule> type;
  if (!text_rule(node, "type", scope, &type) || !text_rule(node, "device", scope, &out->device) ||
      !text_rule(node, "unit", scope, &out->unit) || !time_rule(node, scope, &out->time)) {
    return false;
  }
  if (type) {
    out->type = std::move(*type);
  } else {
    out->type.place = out->place;
    std::string ignored;
    parse_text("{path}", scope, &out->type.text, &ignored);  // the default of every_field
  }
  if (!out->device && !plan_.device)
    return refuse_at(
        "/device", "is missing: it says which device a reading is of, such as \"{device_id}\" or \"{/id}\"");
  if (member(node, "metadata") == kNone) return true;
  out->metadata = plan_.metadata;
  std::vector<MetadataRule> own;
  if (!metadata(node, scope, &own)) return false;
  for (MetadataRule& rule : own) {
    std::erase_if(out->metadata, [&](const MetadataRule& other) { return other.key == rule.key; });
    out->metadata.push_back(std::move(rule));
  }
  return true;
}

}  // namespace weir::mapping
