#include "manifest/schema_tree.h"

#include <algorithm>
#include <functional>
#include <map>
#include <regex>

#include "manifest/document.h"
#include "manifest/spelling.h"

namespace weir::manifest {
namespace {

using nlohmann::json;

// Where a schema holds further schemas (draft-07, sections 6.4 to 6.7). "Same": they speak about the same
// value.
constexpr const char* kSameSingle[] = {"not", "if", "then", "else"};
constexpr const char* kSameLists[] = {"allOf", "anyOf", "oneOf"};
constexpr const char* kInnerSingle[] = {"items", "additionalItems", "additionalProperties", "contains",
                                        "propertyNames"};
constexpr const char* kInnerMaps[] = {"properties", "patternProperties", "definitions"};
constexpr size_t kMaxSubschemas = 64;  // per place: enough for a message

bool is_index(const std::string& token) {
  return !token.empty() && token.size() < 10 && token.find_first_not_of("0123456789") == token.npos;
}

using Visit = std::function<base::Status(json&)>;

// The schema that a local reference names, null when there is none.
template <class Json>
Json* find_local(Json& root, const std::string& reference) {
  if (!reference.starts_with("#")) return nullptr;
  Json* node = &root;
  for (const std::string& token : pointer_tokens(std::string_view(reference).substr(1))) {
    const bool index = node->is_array() && is_index(token);
    if (node->is_object() && node->contains(token)) {
      node = &(*node)[token];
    } else if (index && std::stoul(token) < node->size()) {
      node = &(*node)[std::stoul(token)];
    } else {
      return nullptr;
    }
  }
  return node;
}

base::Error broken(std::string what) { return base::error(base::Code::kInvalid, std::move(what)); }

base::Status check_pattern(const std::string& pattern) {
  if (pattern.size() > kMaxPatternBytes)
    return broken("the pattern " + in_quotes(pattern, '\'') + " is too long");
  try {
    std::regex compiled(pattern);
  } catch (const std::regex_error&) {
    return broken("the pattern " + in_quotes(pattern, '\'') + " is no regular expression");
  }
  return {};
}

// Calls `visit` for each schema inside `schema`; those about the same value first.
base::Status for_each_inner(json& schema, const Visit& same, const Visit& inner) {
  base::Status status;
  const auto call = [&](json& node, const Visit& visit) {
    if (status.ok()) status = visit(node);
  };
  for (const char* key : kSameSingle) {
    if (schema.contains(key)) call(schema[key], same);
  }
  for (const char* key : kSameLists) {
    if (!schema.contains(key) || !schema[key].is_array()) continue;
    for (json& one : schema[key]) call(one, same);
  }
  if (schema.contains("dependencies") && schema["dependencies"].is_object()) {
    for (json& one : schema["dependencies"]) call(one, same);
  }
  for (const char* key : kInnerSingle) {
    if (!schema.contains(key)) continue;
    if (schema[key].is_array()) {
      for (json& one : schema[key]) call(one, inner);
    } else {
      call(schema[key], inner);
    }
  }
  for (const char* key : kInnerMaps) {
    if (!schema.contains(key) || !schema[key].is_object()) continue;
    for (json& one : schema[key]) call(one, inner);
  }
  return status;
}

constexpr size_t kMaxChain = 64;  // schemas about one and the same value that lead to each other

// Looks at every subschema once.
class Preparation {
 public:
  explicit Preparation(json& root) : root_(root), waiting_{&root} {}

  base::Status run() {
    while (!waiting_.empty()) {
      json* schema = waiting_.back();
      waiting_.pop_back();
      if (auto status = visit(*schema); !status.ok()) return status;
    }
    return {};
  }

 private:
  enum class State { kNew, kOpen, kDone };

  // Follows what speaks about the same value at once, because there a circle never ends; what speaks about
  // values inside waits, because there the document's depth ends it.
  base::Status visit(json& schema) {
    if (!schema.is_object()) return {};  // true, false; anything else is the validator's to refuse
    State& state = states_[&schema];
    if (state == State::kOpen) return broken("it refers to itself with nothing in between");
    if (state == State::kDone) return {};
    if (++chain_ > kMaxChain) return broken("its references lead on and on");
    state = State::kOpen;
    auto status = check_own(schema);
    if (status.ok()) {
      status = for_each_inner(
          schema, [this](json& same) { return visit(same); },
          [this](json& inner) {
            waiting_.push_back(&inner);
            return base::Status();
          });
    }
    if (status.ok() && schema.contains("$ref")) status = follow(schema["$ref"]);
    states_[&schema] = State::kDone;
    --chain_;
    return status;
  }

  static base::Status check_own(json& schema) {
    schema.erase("format");
    if (schema.contains("pattern") && schema["pattern"].is_string()) {
      if (auto status = check_pattern(schema["pattern"]); !status.ok()) return status;
    }
    if (!schema.contains("patternProperties") || !schema["patternProperties"].is_object()) return {};
    for (const auto& [pattern, unused] : schema["patternProperties"].items()) {
      if (auto status = check_pattern(pattern); !status.ok()) return status;
    }
    return {};
  }

  base::Status follow(const json& reference) {
    if (!reference.is_string()) return broken("a $ref is no text");
    const std::string name = reference;
    json* target = find_local(root_, name);
    if (target == nullptr) return broken("the $ref " + in_quotes(name, '\'') + " names nothing in it");
    return visit(*target);
  }

  json& root_;
  std::vector<json*> waiting_;
  std::map<const json*, State> states_;
  size_t chain_ = 0;
};

using Found = std::vector<const json*>;

// Walks down a schema beside a value.
class Lookup {
 public:
  // `conditions`: with what must not hold, or only decides (not, if, contains).
  Lookup(const json& root, bool conditions) : root_(root), conditions_(conditions) {}

  // Adds `schema` and all that speak about the same value.
  void expand(const json& schema, Found& found) const {
    if (!schema.is_object() || found.size() >= kMaxSubschemas) return;
    if (std::find(found.begin(), found.end(), &schema) != found.end()) return;
    found.push_back(&schema);
    for (const char* key : {"then", "else"}) expand_member(schema, key, found);
    if (conditions_) {
      for (const char* key : {"not", "if"}) expand_member(schema, key, found);
    }
    for (const char* key : kSameLists) {
      if (!schema.contains(key) || !schema[key].is_array()) continue;
      for (const json& one : schema[key]) expand(one, found);
    }
    if (schema.contains("$ref") && schema["$ref"].is_string()) {
      if (const json* target = find_local(root_, schema["$ref"])) expand(*target, found);
    }
  }

  // Adds the subschemas of `schema` for its member or element `token`.
  void step(const json& schema, const std::string& token, Found& found) const {
    bool named = false;
    if (schema.contains("properties") && schema["properties"].contains(token)) {
      expand(schema["properties"][token], found);
      named = true;
    }
    if (schema.contains("patternProperties") && schema["patternProperties"].is_object()) {
      for (const auto& [pattern, inner] : schema["patternProperties"].items()) {
        if (!std::regex_search(token, std::regex(pattern))) continue;
        expand(inner, found);
        named = true;
      }
    }
    if (!named) expand_member(schema, "additionalProperties", found);
    if (is_index(token)) step_element(schema, std::stoul(token), found);
  }

 private:
  void expand_member(const json& schema, const char* key, Found& found) const {
    if (schema.contains(key)) expand(schema[key], found);
  }

  void step_element(const json& schema, size_t index, Found& found) const {
    if (conditions_) expand_member(schema, "contains", found);
    if (!schema.contains("items")) return;
    const json& items = schema["items"];
    if (!items.is_array()) {
      expand(items, found);
    } else if (index < items.size()) {
      expand(items[index], found);
    } else {
      expand_member(schema, "additionalItems", found);
    }
  }

  const json& root_;
  const bool conditions_;
};

std::string type_words(const std::string& type) {
  static const std::map<std::string, std::string> kWords = {
      {"string", "a string"},  {"integer", "an integer"},
      {"number", "a number"},  {"boolean", "true or false"},
      {"object", "an object"}, {"array", "an array"},
      {"null", "null"}};
  auto words = kWords.find(type);
  return words == kWords.end() ? type : words->second;
}

void add_once(std::vector<std::string>& list, std::string word) {
  if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(std::move(word));
}

// A number as a person writes it.
std::string number(const json& value) {
  if (!value.is_number_float()) return value.dump();
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value.get<double>());
  return text;
}

// " from 1 to 65535", " greater than 0"
std::string range_words(const json& schema) {
  const auto bound = [&](const char* key) {
    return schema.contains(key) && schema[key].is_number() ? number(schema[key]) : "";
  };
  const std::string low = bound("minimum"), high = bound("maximum");
  if (!low.empty() && !high.empty()) return " from " + low + " to " + high;
  std::string words;
  const auto add = [&](const char* phrase, const std::string& value) {
    if (!value.empty()) words += (words.empty() ? " " : " and ") + std::string(phrase) + value;
  };
  add("of at least ", low);
  add("greater than ", bound("exclusiveMinimum"));
  add("of at most ", high);
  add("less than ", bound("exclusiveMaximum"));
  return words;
}

void add_values(const json& schema, std::vector<std::string>& values) {
  if (schema.contains("enum") && schema["enum"].is_array()) {
    for (const json& value : schema["enum"]) add_once(values, value.dump());
  }
  if (schema.contains("const")) add_once(values, schema["const"].dump());
}

void add_types(const json& schema, std::vector<std::string>& types) {
  if (!schema.contains("type")) return;
  const json& type = schema["type"];
  for (const json& one : type.is_array() ? type : json::array({type})) {
    if (!one.is_string()) continue;
    const std::string name = one;
    const bool numeric = name == "integer" || name == "number";
    add_once(types, type_words(name) + (numeric ? range_words(schema) : ""));
  }
}

}  // namespace

base::Status prepare_schema(json& schema) { return Preparation(schema).run(); }

Found subschemas_at(const json& root, const std::vector<std::string>& tokens, bool conditions) {
  const Lookup lookup(root, conditions);
  Found here;
  lookup.expand(root, here);
  for (const std::string& token : tokens) {
    Found next;
    for (const json* schema : here) lookup.step(*schema, token, next);
    here = std::move(next);
  }
  return here;
}

std::string describe(const Found& subschemas) {
  std::vector<std::string> values, types;
  std::string pattern, description;
  for (const json* schema : subschemas) {
    add_values(*schema, values);
    add_types(*schema, types);
    if (schema->contains("pattern") && (*schema)["pattern"].is_string()) pattern = (*schema)["pattern"];
    if (description.empty() && schema->contains("description") && (*schema)["description"].is_string()) {
      description = (*schema)["description"];
    }
  }
  std::string words = values.empty() ? one_of(types, '\0') : one_of(values, '\0');
  if (values.empty() && !pattern.empty()) words = "text that matches " + pattern;
  description = description.substr(0, description.find(". "));  // its first sentence
  if (description.ends_with('.')) description.pop_back();
  if (!description.empty()) words += (words.empty() ? "" : ": ") + description;
  return words;
}

std::vector<std::string> known_keys(const Found& subschemas) {
  std::vector<std::string> keys;
  for (const json* schema : subschemas) {
    if (!schema->contains("properties") || !(*schema)["properties"].is_object()) continue;
    for (const auto& [key, unused] : (*schema)["properties"].items()) add_once(keys, key);
  }
  return keys;
}

size_t longest_pattern(const Found& subschemas) {
  size_t longest = 0;
  for (const json* schema : subschemas) {
    if (!schema->contains("pattern") || !(*schema)["pattern"].is_string()) continue;
    longest = std::max(longest, (*schema)["pattern"].get_ref<const std::string&>().size());
  }
  return longest;
}

std::string name_type(const json& value) {
  if (value.is_number_integer()) return "an integer";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return type_words(value.type_name());
}

}  // namespace weir::manifest
