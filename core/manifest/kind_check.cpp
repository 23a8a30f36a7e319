#include "manifest/kind_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "manifest/schema.h"

namespace weir::manifest {
namespace {

using nlohmann::json;

constexpr unsigned bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr unsigned kSources = bit(Kind::kSource);
constexpr unsigned kTransforms = bit(Kind::kTransform);
constexpr unsigned kSinks = bit(Kind::kSink);

// Which settings have a meaning for which kinds. Elsewhere they are refused: who sets one expects it to work.
struct Setting {
  const char* pointer;
  unsigned kinds;
  bool stateful_only = false;  // of the transforms, those that are consumers of their own
};
constexpr Setting kSettings[] = {
    {"/durability", kSources},
    {"/flush_ms", kSources},
    {"/start", kSinks | kTransforms, true},
    {"/on_error", kSinks | kTransforms},
    {"/retry", kSinks},
    {"/limits/events_per_second", kSources | kSinks},
    {"/limits/bytes_in_flight", kSources | kSinks},
    {"/limits/batch_events", kSinks},
    {"/limits/batch_bytes", kSinks},
};

bool applies(const Setting& setting, const Component& component) {
  if ((setting.kinds & bit(component.kind)) == 0) return false;
  return component.kind != Kind::kTransform || !setting.stateful_only || component.stateful;
}

std::string kinds_words(const Setting& setting) {
  std::string words;
  for (Kind kind : {Kind::kSource, Kind::kTransform, Kind::kSink}) {
    if ((setting.kinds & bit(kind)) == 0) continue;
    if (!words.empty()) words += " or a ";
    if (kind == Kind::kTransform && setting.stateful_only) words += "stateful ";
    words += name(kind);
  }
  return words;
}

void check_settings(const InstanceConfig& instance, Problems& problems) {
  const json& root = instance.document->root();
  for (const Setting& setting : kSettings) {
    if (!root.contains(json::json_pointer(setting.pointer)) || applies(setting, *instance.component))
      continue;
    const std::string key = std::string(setting.pointer).substr(std::string(setting.pointer).rfind('/') + 1);
    problems.push_back(instance.document->key_problem(
        setting.pointer, in_quotes(key, '\'') + " means nothing for a " + name(instance.component->kind),
        "it only with a " + kinds_words(setting)));
  }
  if (instance.on_error == OnError::kRetry && instance.component->kind == Kind::kTransform) {
    problems.push_back(instance.document->value_problem(
        "/on_error", "\"retry\" means nothing for a transform: it would refuse the event again",
        "\"dead-letter\" or \"drop\""));
  }
}

void check_config(const InstanceConfig& instance, Problems& problems) {
  const std::string& text = instance.component->schema;
  if (text.empty()) return;
  auto schema = Schema::parse(text);
  if (!schema.ok()) {
    problems.push_back(instance.document->value_problem(
        "/plugin", "the plugin " + in_quotes(instance.plugin) + " cannot be used: " + schema.error().what,
        "a repaired plugin; this is no fault of the manifest"));
    return;
  }
  const json config = json::parse(instance.config);
  const Problems found = schema->check(config, *instance.document, "/config");
  problems.insert(problems.end(), found.begin(), found.end());
}

}  // namespace

void check_component(InstanceConfig& instance, const ComponentCatalog& catalog, Problems& problems) {
  auto component = catalog.find(instance.plugin, instance.version);
  if (!component.ok()) {
    const bool version =
        component.error().code != base::Code::kNotFound && instance.document->root().contains("version");
    problems.push_back(instance.document->value_problem(version ? "/version" : "/plugin",
                                                        component.error().what, component.error().hint));
    return;
  }
  instance.component = std::move(*component);
  check_settings(instance, problems);
  // A reference that could not be resolved has been reported; its text would only raise a second complaint.
  const bool unresolved = std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
    return problem.file == instance.file() && problem.pointer.starts_with("/config");
  });
  if (!unresolved) check_config(instance, problems);
}

}  // namespace weir::manifest
