#include "plugin/component_json.h"

#include <nlohmann/json.hpp>

namespace weir::plugin {

nlohmann::json component_to_json(const Component& component) {
  return {{"name", component.name},
          {"kind", static_cast<uint32_t>(component.kind)},
          {"description", component.description},
          {"config_schema", component.config_schema},
          {"required", component.required},
          {"optional", component.optional},
          {"needs_network", component.needs_network},
          {"needs_files", component.needs_files},
          {"exclusive", component.exclusive},
          {"stateful", component.stateful},
          {"state_format", component.state_format},
          {"ticks", component.ticks}};
}

Component component_from_json(const nlohmann::json& json) {
  Component component;
  json.at("name").get_to(component.name);
  component.kind = static_cast<Kind>(json.at("kind").get<uint32_t>());
  json.at("description").get_to(component.description);
  json.at("config_schema").get_to(component.config_schema);
  json.at("required").get_to(component.required);
  json.at("optional").get_to(component.optional);
  json.at("needs_network").get_to(component.needs_network);
  json.at("needs_files").get_to(component.needs_files);
  json.at("exclusive").get_to(component.exclusive);
  json.at("stateful").get_to(component.stateful);
  json.at("state_format").get_to(component.state_format);
  json.at("ticks").get_to(component.ticks);
  return component;
}

}  // namespace weir::plugin
