#include "check/config_samples.h"

#include <algorithm>
#include <functional>

#include "manifest/document.h"
#include "manifest/schema.h"

namespace weir::check {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;  // of a schema that refers to itself
constexpr size_t kLongText = 4096;
constexpr size_t kLongArray = 100;

// Follows "#/definitions/x" within the document; anything else is left as it is.
const json& resolve(const json& root, const json& schema) {
  auto reference = schema.is_object() ? schema.find("$ref") : schema.end();
  if (!schema.is_object() || reference == schema.end() || !reference->is_string()) return schema;
  const std::string& text = reference->get_ref<const std::string&>();
  if (text.empty() || text[0] != '#') return schema;
  try {
    return root.at(json::json_pointer(text.substr(1)));
  } catch (const json::exception&) {
    return schema;
  }
}

std::string type_of(const json& schema) {
  auto type = schema.find("type");
  if (type == schema.end()) return schema.contains("properties") ? "object" : "string";
  if (type->is_array()) return type->empty() ? "string" : (*type)[0].get<std::string>();
  return type->is_string() ? type->get<std::string>() : "string";
}

double number_in(const json& schema, double wanted) {
  if (schema.contains("minimum")) wanted = std::max(wanted, schema["minimum"].get<double>());
  if (schema.contains("exclusiveMinimum") && schema["exclusiveMinimum"].is_number()) {
    wanted = std::max(wanted, schema["exclusiveMinimum"].get<double>() + 1);
  }
  if (schema.contains("maximum")) wanted = std::min(wanted, schema["maximum"].get<double>());
  return wanted;
}

json sample(const json& root, const json& schema_or_reference, int depth);

json sample_object(const json& root, const json& schema, int depth) {
  json value = json::object();
  const json properties = schema.value("properties", json::object());
  for (const json& key : schema.value("required", json::array())) {
    if (key.is_string()) value[key.get<std::string>()] = sample(root, properties.value(key.get<std::string>(), json::object()), depth + 1);
  }
  return value;
}

json sample(const json& root, const json& schema_or_reference, int depth) {
  const json& schema = resolve(root, schema_or_reference);
  if (!schema.is_object() || depth > kMaxDepth) return "check";
  if (auto examples = schema.find("examples"); examples != schema.end() && examples->is_array() && !examples->empty()) {
    return (*examples)[0];
  }
  for (const char* key : {"default", "const"}) {
    if (schema.contains(key)) return schema[key];
  }
  if (schema.contains("enum") && !schema["enum"].empty()) return schema["enum"][0];
  for (const char* key : {"oneOf", "anyOf", "allOf"}) {
    if (!schema.contains(key) || schema[key].empty()) continue;
    json joined = schema[key][0];
    if (!joined.is_object()) continue;
    joined.update(schema);
    joined.erase(key);
    return sample(root, joined, depth + 1);
  }
  const std::string type = type_of(schema);
  if (type == "object") return sample_object(root, schema, depth);
  if (type == "integer") return static_cast<int64_t>(number_in(schema, 1));
  if (type == "number") return number_in(schema, 1);
  if (type == "boolean") return false;
  if (type == "null") return nullptr;
  if (type == "array") {
    json value = json::array();
    for (size_t i = 0; i < schema.value("minItems", size_t{0}); ++i) {
      value.push_back(sample(root, schema.value("items", json::object()), depth + 1));
    }
    return value;
  }
  std::string text = "check";
  text.resize(std::max(text.size(), schema.value("minLength", size_t{0})), 'x');
  text.resize(std::min(text.size(), schema.value("maxLength", text.size())));
  return text;
}

// Values worth trying for one key. Whether they fit is for the validator to say.
std::vector<json> extremes(const json& root, const json& schema_or_reference) {
  const json& schema = resolve(root, schema_or_reference);
  if (!schema.is_object()) return {};
  std::vector<json> values = {sample(root, schema, 0)};
  for (const json& value : schema.value("enum", json::array())) values.push_back(value);
  for (const char* key : {"minimum", "maximum"}) {
    if (schema.contains(key)) values.push_back(schema[key]);
  }
  const std::string type = type_of(schema);
  if (type == "integer" || type == "number") {
    for (const json& value : {json(0), json(-1), json(INT64_MAX), json(INT64_MIN)}) values.push_back(value);
  }
  if (type == "number") {
    for (double value : {0.5, -1e308, 1e308, 5e-324}) values.push_back(value);
  }
  if (type == "boolean") values.insert(values.end(), {true, false});
  if (type == "string") {
    for (const std::string& text :
         {std::string(), std::string(" "), std::string(kLongText, 'x'), std::string("\xE2\x80\xAE\xF0\x9F\x92\xA9"),
          std::string("%s%n%1000000d"), std::string("a\"b\\c\n\t\x01"), std::string("0"), std::string("-1h")}) {
      values.push_back(text);
    }
  }
  if (type == "array") {
    const json item = sample(root, schema.value("items", json::object()), 0);
    values.insert(values.end(), {json::array(), json::array({item}), json(std::vector<json>(kLongArray, item))});
  }
  if (type == "object") {
    const json item = sample(root, schema.value("additionalProperties", json::object()), 0);
    json many = json::object();
    for (size_t i = 0; i < kLongArray; ++i) many["key-" + std::to_string(i)] = item;
    values.insert(values.end(), {json::object(), json{{"", item}}, json{{"a/b~c", item}}, std::move(many)});
    const json properties = schema.value("properties", json::object());
    for (const auto& [key, inner] : properties.items()) {
      for (const json& value : extremes(root, inner)) {
        json object = sample(root, schema, 0);
        object[key] = value;
        values.push_back(std::move(object));
      }
    }
  }
  return values;
}

// Calls `visit` with each subschema and where it stands.
void walk(const json& schema, const std::string& at, const std::function<void(const json&, const std::string&)>& visit) {
  if (!schema.is_structured()) return;
  if (schema.is_object()) visit(schema, at);
  for (const auto& [key, inner] : schema.items()) {
    if (key != "default" && key != "examples" && key != "enum" && key != "const") {
      walk(inner, manifest::child_pointer(at, key), visit);
    }
  }
}

}  // namespace

base::Status fits_schema(const std::string& text, const json& config) {
  auto schema = manifest::Schema::parse(text);
  if (!schema) return schema.error();
  manifest::Problems problems;
  auto document = manifest::Document::parse("config", config.dump(-1, ' ', false, json::error_handler_t::replace), problems);
  if (document != nullptr) problems = schema->check(config, *document, "");
  if (problems.empty()) return {};
  const manifest::Problem& first = problems.front();
  return base::error(base::Code::kInvalid, (first.pointer.empty() ? "" : first.pointer + ": ") + first.what +
                                               (first.expected.empty() ? "" : " (expected " + first.expected + ")"));
}

base::Result<json> least_config(const std::string& schema) {
  const json root = json::parse(schema, nullptr, false);
  json config = root.is_object() ? sample_object(root, root, 0) : json::object();
  if (auto fits = fits_schema(schema, config); !fits) return fits.error();
  return config;
}

std::vector<json> config_variations(const std::string& schema, const json& least, size_t most) {
  const json root = json::parse(schema, nullptr, false);
  std::vector<json> fitting;
  auto add = [&](json config) {
    if (fitting.size() < most && fits_schema(schema, config)) fitting.push_back(std::move(config));
  };
  add(least);
  json full = least;
  const json properties = root.value("properties", json::object());
  for (const auto& [key, inner] : properties.items()) {
    if (!full.contains(key)) full[key] = sample(root, inner, 0);
  }
  add(full);
  for (const auto& [key, inner] : properties.items()) {
    for (json& value : extremes(root, inner)) {
      json config = least;
      config[key] = std::move(value);
      add(std::move(config));
    }
  }
  return fitting;
}

std::vector<std::string> wrong_samples(const std::string& schema) {
  const json root = json::parse(schema, nullptr, false);
  std::vector<std::string> wrong;
  walk(root, "", [&](const json& part, const std::string& at) {
    std::vector<std::pair<const char*, json>> given;
    if (part.contains("default")) given.emplace_back("default", part["default"]);
    if (part.contains("examples") && part["examples"].is_array()) {
      for (const json& example : part["examples"]) given.emplace_back("example", example);
    }
    for (const auto& [what, value] : given) {
      // A document is an object, so the value stands in one.
      json alone{{"type", "object"}, {"properties", {{"value", part}}}};
      if (root.contains("definitions")) alone["definitions"] = root["definitions"];
      if (auto fits = fits_schema(alone.dump(), {{"value", value}}); !fits) {
        wrong.push_back(std::string("the ") + what + " at " + (at.empty() ? "/" : at) + " does not fit the schema there");
      }
    }
  });
  return wrong;
}

}  // namespace weir::check
