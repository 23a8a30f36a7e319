// What a component says about itself.
#include <algorithm>
#include <cstring>
#include <set>

#include "check/checks.h"
#include "check/config_samples.h"
#include "event/validate.h"
#include "manifest/schema.h"

namespace weir::check {
namespace {

constexpr size_t kMaxDescription = 200;  // one line of `weir plugin list`
constexpr char kNobody[] = "weir.check.no-such-interface/1";

bool valid_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

const char* needed_by(plugin::Kind kind) {
  return kind == plugin::Kind::kSource ? WEIR_INGRESS : kind == plugin::Kind::kSink ? WEIR_DELIVERY : nullptr;
}

void check_interfaces(Trial& trial) {
  const plugin::Component& component = trial.component();
  const auto& known = plugin::host_interfaces();
  std::set<std::string> seen;
  for (const auto* list : {&component.required, &component.optional}) {
    for (const std::string& id : *list) {
      if (!seen.insert(id).second) trial.find("it lists the host interface '" + id + "' twice");
      if (!id.starts_with("weir.") || id.find('/') == std::string::npos) trial.find("'" + id + "' is no interface id");
    }
  }
  for (const std::string& id : component.required) {
    const bool offered = id == WEIR_LOG || id == WEIR_METRICS || id == WEIR_GATEWAY;
    if (component.kind == plugin::Kind::kTransform && !offered && std::find(known.begin(), known.end(), id) != known.end()) {
      trial.find("it requires '" + id + "', which no transform gets: a transform has no time, sockets or memory of its own");
    }
  }
  const char* needed = needed_by(component.kind);
  if (needed != nullptr && std::find(component.required.begin(), component.required.end(), needed) == component.required.end()) {
    trial.find(std::string("it does not require '") + needed + "', without which a " +
               std::string(plugin::kind_name(component.kind)) + " can do nothing");
  }
}

}  // namespace

void check_descriptor(Trial& trial) {
  const plugin::Component& component = trial.component();
  if (!valid_name(component.name)) trial.find("its name '" + component.name + "' has other characters than a-z, 0-9, '.', '-' and '_'");
  const std::string& text = component.description;
  if (text.empty()) trial.find("it has no description");
  if (text.size() > kMaxDescription || text.find('\n') != std::string::npos) trial.find("its description is not one line of at most 200 bytes");
  if (!event::valid_text(text.data(), text.size())) trial.find("its description is not UTF-8");
  check_interfaces(trial);
  if (trial.library().table(component.name, kNobody) != nullptr) {
    trial.find("get_interface() gives a table for an id that nobody knows: a later host would take it for that interface");
  }
  if (trial.library().table("weir-check.nobody", WEIR_COMPONENT) != nullptr) {
    trial.find("get_interface() gives a table for a component that it does not have");
  }
  const void* first = trial.life();
  if (first != trial.life()) trial.find("get_interface() gives another table each time: tables are constant");
  const bool stateful = component.stateful;
  if (trial.is(plugin::Kind::kTransform) && !stateful &&
      (trial.transform()->restore != nullptr || trial.transform()->tick != nullptr || trial.transform()->state_format != 0)) {
    trial.find("it says that it is pure, and offers restore(), tick() or a state_format");
  }
  if (!trial.is(plugin::Kind::kTransform) && stateful) trial.find("it is no transform, and says that it is stateful");
}

void check_schema(Trial& trial) {
  const std::string& text = trial.component().config_schema;
  auto schema = manifest::Schema::parse(text);
  if (!schema) return trial.find(schema.error().what);
  const auto root = nlohmann::json::parse(text, nullptr, false);
  if (root.value("type", nlohmann::json()) != "object") {
    trial.find("its \"type\" is not \"object\": a configuration is always an object");
  }
  nlohmann::json extra{{"weir-check-no-such-key", 1}};
  if (auto least = least_config(text)) extra.update(*least);
  if (fits_schema(text, extra)) {
    trial.find("it lets an unknown key pass: say \"additionalProperties\": false, or a misspelt key is ignored in silence");
  }
  const auto properties = root.value("properties", nlohmann::json::object());
  for (const auto& key : root.value("required", nlohmann::json::array())) {
    if (key.is_string() && !properties.contains(key.get<std::string>())) {
      trial.find("it requires the key '" + key.get<std::string>() + "', which its properties do not describe");
    }
  }
  for (const std::string& wrong : wrong_samples(text)) trial.find(wrong);
}

}  // namespace weir::check
