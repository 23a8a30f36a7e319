// The parts of a mapping document, and its members by key.
#include <algorithm>

#include "compiler.h"
#include "json_number.h"
#include "json_text.h"

namespace weir::mapping {
namespace {

constexpr uint32_t kNone = JsonTree::kNone;

bool find_unit(std::string_view text, TimeUnit* out) {
  constexpr std::pair<std::string_view, TimeUnit> kUnits[] = {{"rfc3339", TimeUnit::kRfc3339},
                                                              {"s", TimeUnit::kSeconds},
                                                              {"ms", TimeUnit::kMilliseconds},
                                                              {"us", TimeUnit::kMicroseconds},
                                                              {"ns", TimeUnit::kNanoseconds}};
  for (const auto& [name, unit] : kUnits) {
    if (name == text) return *out = unit, true;
  }
  return false;
}

}  // namespace

bool Compiler::each(uint32_t node, const char* key, std::optional<Each>* out) {
  const uint32_t found = member(node, key);
  if (found == kNone) return true;
  Each& each = out->emplace();
  each.place = tree_.pointer(found);
  std::string why;
  if (tree_[found].kind == JsonKind::kText)
    return parse_pointer(tree_[found].text, scope_, &each.pointer, &why) || refuse(found, why);
  return expect(found, JsonKind::kObject, "a pointer to an array or object, or an object with \"pointer\"") &&
         keys(found, {"pointer", "only", "ignore"}) && pointer(found, "pointer", scope_, &each.pointer) &&
         filter(found, &each.filter);
}

bool Compiler::filter(uint32_t node, Filter* out) {
  for (const char* key : {"only", "ignore"}) {
    const uint32_t list = member(node, key);
    if (list == kNone) continue;
    if (!expect(list, JsonKind::kArray, "an array of keys, in which * stands for any text")) return false;
    for (uint32_t item = tree_.first(list); item != 0; item = tree_[item].next) {
      if (!expect(item, JsonKind::kText, "a key, in which * stands for any text")) return false;
      (key[0] == 'o' ? out->only : out->ignore).emplace_back(tree_[item].text);
    }
  }
  return true;
}

bool Compiler::text_rule(uint32_t node, const char* key, const Scope& scope, std::optional<TextRule>* out) {
  std::string_view written;
  bool there = false;
  if (!string(node, key, &written, &there)) return false;
  if (!there) return true;
  if (written.empty()) return refuse_at(place(node, key), "must not be empty");
  TextRule& rule = out->emplace();
  rule.place = place(node, key);
  std::string why;
  if (!parse_text(written, scope, &rule.text, &why)) return refuse_at(rule.place, why);
  // The mistake that is easy to make: a pointer where text is wanted.
  if (written[0] == '/' && rule.text.size() == 1 && rule.text[0].kind == TextPart::Kind::kLiteral)
    return refuse_at(rule.place, "is plain text that begins with /: write \"{" + std::string(written) +
                                     "}\" for what the payload has there");
  return true;
}

bool Compiler::time_rule(uint32_t node, const Scope& scope, std::optional<TimeRule>* out) {
  const uint32_t time = member(node, "time");
  if (time == kNone) return true;
  TimeRule& rule = out->emplace();
  rule.place = tree_.pointer(time);
  if (tree_[time].kind == JsonKind::kText) {
    std::string why;
    return parse_pointer(tree_[time].text, scope, &rule.pointer, &why) || refuse(time, why);
  }
  return expect(time, JsonKind::kObject,
                "a pointer to RFC 3339 text, or an object with \"pointer\" and \"unit\"") &&
         keys(time, {"pointer", "unit", "zone", "optional"}) &&
         pointer(time, "pointer", scope, &rule.pointer) && flag(time, "optional", &rule.optional) &&
         time_object(time, &rule);
}

bool Compiler::time_object(uint32_t time, TimeRule* out) {
  std::string_view unit = "rfc3339", zone;
  bool ignored = false, zoned = false;
  if (!string(time, "unit", &unit, &ignored) || !string(time, "zone", &zone, &zoned)) return false;
  if (!find_unit(unit, &out->unit))
    return refuse_at(place(time, "unit"),
                     "must be \"rfc3339\" (the default), \"s\", \"ms\", \"us\" or \"ns\"");
  if (!zoned) return true;
  if (out->unit != TimeUnit::kRfc3339)
    return refuse_at(place(time, "zone"), "is for times that are text: a number has no time zone");
  out->zone = zone;
  int64_t ns = 0;
  return parse_time_text("2000-01-01T00:00:00" + out->zone, "", &ns) == nullptr ||
         refuse_at(place(time, "zone"), "must be \"Z\" or an offset such as \"+01:00\"");
}

bool Compiler::metadata(uint32_t node, const Scope& scope, std::vector<MetadataRule>* out) {
  const uint32_t object = member(node, "metadata");
  if (object == kNone) return true;
  if (!expect(object, JsonKind::kObject, "an object of texts such as \"{/rssi?}\"")) return false;
  for (uint32_t item = tree_.first(object); item != 0; item = tree_[item].next) {
    const std::string_view key = tree_[item].key;
    if (key.empty() || key.size() > WEIR_TEXT_MAX_BYTES || key.find('\0') != std::string_view::npos)
      return refuse(item, "is not a key that an event can have: 1 to 4096 bytes without NUL");
    if (key.starts_with("weir."))
      return refuse(item, "is reserved: keys that begin with \"weir.\" are the gateway's");
    std::optional<TextRule> value;
    if (!expect(item, JsonKind::kText, "text such as \"{/rssi?}\"")) return false;
    std::string why;
    MetadataRule& rule = out->emplace_back();
    rule.key = key;
    rule.value.place = tree_.pointer(item);
    if (!parse_text(tree_[item].text, scope, &rule.value.text, &why)) return refuse(item, why);
  }
  return true;
}

bool Compiler::words(uint32_t node, std::optional<Words>* out) {
  const uint32_t table = member(node, "words");
  if (table == kNone) return true;
  if (!expect(table, JsonKind::kObject,
              "an object of words and values, such as {\"ON\": true, \"OFF\": false}"))
    return false;
  out->emplace();
  for (uint32_t item = tree_.first(table); item != 0; item = tree_[item].next) {
    auto& [word, value] = (*out)->entries.emplace_back();
    word = tree_[item].key;
    if (!constant(item, &value)) return false;
  }
  return true;
}

bool Compiler::constant(uint32_t node, Constant* out) {
  const JsonNode& json = tree_[node];
  switch (json.kind) {
    case JsonKind::kBoolean:
      out->value_type = WEIR_BOOL;
      out->value.boolean = json.text == "true" ? 1 : 0;
      return true;
    case JsonKind::kText:
      out->value_type = WEIR_STRING;
      out->text = json.text;
      return out->text.find('\0') == std::string::npos || refuse(node, "holds a NUL character");
    case JsonKind::kNumber: {
      Number number;
      if (parse_number(json.text, &number) != NumberFault::kNone)
        return refuse(node, "is a number that does not fit 64 bits");
      out->value_type = number.integer ? WEIR_I64 : WEIR_F64;
      if (number.integer) {
        out->value.i64 = number.i64;
      } else {
        out->value.f64 = number.f64;
      }
      return true;
    }
    default:
      return refuse(node, "must be true, false, a number or text");
  }
}

bool Compiler::value_rule(uint32_t node, ValueRule* out) {
  out->place = tree_.pointer(node);
  std::string_view as;
  bool there = false;
  if (!string(node, "as", &as, &there)) return false;
  if (there) {
    if (as != "number" && as != "boolean" && as != "text")
      return refuse_at(place(node, "as"),
                       "must be \"number\", \"boolean\" or \"text\"; without it a value stays what it is");
    out->as = as == "number" ? As::kNumber : as == "boolean" ? As::kBoolean : As::kText;
  }
  if (!words(node, &out->words)) return false;
  if (out->words && out->as == As::kText)
    return refuse_at(place(node, "words"), "has no use beside \"as\": \"text\"");
  if (!out->words && out->as != As::kText) out->words = words_;
  return true;
}

bool Compiler::text_table(uint32_t node, const char* key,
                          std::vector<std::pair<std::string, std::string>>* out) {
  const uint32_t table = member(node, key);
  if (table == kNone) return true;
  if (!expect(table, JsonKind::kObject, "an object of texts")) return false;
  for (uint32_t item = tree_.first(table); item != 0; item = tree_[item].next) {
    if (!expect(item, JsonKind::kText, "text")) return false;
    if (tree_[item].text.size() > WEIR_TEXT_MAX_BYTES ||
        tree_[item].text.find('\0') != std::string_view::npos)
      return refuse(item, "must be at most 4096 bytes without NUL");
    out->emplace_back(tree_[item].key, tree_[item].text);
  }
  return true;
}

bool Compiler::keys(uint32_t node, std::initializer_list<std::string_view> known) {
  for (uint32_t item = tree_.first(node); item != 0; item = tree_[item].next) {
    if (std::find(known.begin(), known.end(), tree_[item].key) != known.end()) continue;
    std::string list;
    for (const std::string_view key : known) list += (list.empty() ? "" : ", ") + std::string(key);
    return refuse(item, "is not known here; known are " + list);
  }
  return true;
}

bool Compiler::flag(uint32_t node, const char* key, bool* out) {
  const uint32_t found = member(node, key);
  if (found == kNone) return true;
  *out = tree_[found].text == "true";
  return expect(found, JsonKind::kBoolean, "true or false");
}

bool Compiler::string(uint32_t node, const char* key, std::string_view* out, bool* there) {
  const uint32_t found = member(node, key);
  *there = found != kNone;
  if (!*there) return true;
  if (!expect(found, JsonKind::kText, "text")) return false;
  *out = tree_[found].text;
  return true;
}

bool Compiler::pointer(uint32_t node, const char* key, const Scope& scope, Pointer* out) {
  std::string_view written;
  bool there = false;
  if (!string(node, key, &written, &there)) return false;
  if (!there) return refuse_at(place(node, key), "is missing");
  std::string why;
  return parse_pointer(written, scope, out, &why) || refuse_at(place(node, key), why);
}

bool Compiler::expect(uint32_t node, JsonKind kind, const char* what) {
  if (tree_[node].kind == kind) return true;
  return refuse(node, std::string("must be ") + what + ", not " + name_of(tree_[node].kind));
}

bool Compiler::refuse_at(std::string pointer, const std::string& why) {
  fault_->message =
      pointer.empty() ? (why.starts_with("the ") ? why : "the mapping " + why) : shown(pointer) + ' ' + why;
  fault_->pointer = std::move(pointer);
  return false;
}

}  // namespace weir::mapping
