#include "plugin/describe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "weir/plugin.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

constexpr uint32_t kMaxComponents = 256;  // a count beyond it is a defect, not a plugin

Error refused(const std::string& path, std::string what, std::string hint) {
  return base::error(Code::kInvalid, std::move(what), path, std::move(hint));
}

Error wrong(const std::string& path, const std::string& component, const std::string& what) {
  return refused(path, "component '" + component + "' " + what,
                 "the plugin's author has to mend its descriptor");
}

// The ids of a null-terminated list.
std::vector<std::string> ids(const char* const* list) {
  std::vector<std::string> all;
  for (; list != nullptr && *list != nullptr; ++list) all.emplace_back(*list);
  return all;
}

Status check_schema(const weir_descriptor& descriptor, const std::string& path) {
  if (descriptor.config_schema == nullptr) return wrong(path, descriptor.name, "has no configuration schema");
  try {
    if (nlohmann::json::parse(descriptor.config_schema).is_object()) return {};
    return wrong(path, descriptor.name, "has a configuration schema that is not a JSON object");
  } catch (const nlohmann::json::exception& exception) {
    return wrong(path, descriptor.name,
                 std::string("has a configuration schema that is not valid JSON: ") + exception.what());
  }
}

Status check_required(const weir_descriptor& descriptor, const std::string& path) {
  const auto& known = host_interfaces();
  for (const std::string& id : ids(descriptor.required)) {
    if (std::find(known.begin(), known.end(), id) == known.end()) {
      return refused(path,
                     std::string("component '") + descriptor.name + "' requires the host interface '" + id +
                         "', which this gateway does not offer",
                     "upgrade the gateway, or install a version of the plugin for this one");
    }
  }
  return {};
}

bool complete(const weir_component_v1& table) {
  return table.create && table.prepare && table.start && table.pause && table.resume && table.drain &&
         table.stop && table.destroy && table.health;
}

// Whether the data table of the component's kind has every function that the host calls.
bool complete(const weir_descriptor& descriptor, const void* data) {
  switch (descriptor.kind) {
    case WEIR_KIND_SOURCE: {
      auto* table = static_cast<const weir_source_v1*>(data);
      return table->settled && table->credit;
    }
    case WEIR_KIND_TRANSFORM: {
      auto* table = static_cast<const weir_transform_v1*>(data);
      return table->process && (descriptor.transform != WEIR_TRANSFORM_STATEFUL || table->restore);
    }
    default: {
      auto* table = static_cast<const weir_sink_v1*>(data);
      return table->limits && table->submit && table->cancel;
    }
  }
}

const char* data_interface(weir_kind kind) {
  return kind == WEIR_KIND_SOURCE ? WEIR_SOURCE : kind == WEIR_KIND_TRANSFORM ? WEIR_TRANSFORM : WEIR_SINK;
}

Status check_tables(const weir_entry& entry, const weir_descriptor& descriptor, const std::string& path) {
  const char* data_id = data_interface(descriptor.kind);
  auto* life = static_cast<const weir_component_v1*>(entry.get_interface(descriptor.name, WEIR_COMPONENT));
  const void* data = entry.get_interface(descriptor.name, data_id);
  for (auto [id, table] : {std::pair<const char*, const void*>(WEIR_COMPONENT, life), {data_id, data}}) {
    if (table == nullptr) return wrong(path, descriptor.name, std::string("does not offer '") + id + "'");
  }
  if (!complete(*life)) {
    return wrong(path, descriptor.name, "has a null function in its table '" WEIR_COMPONENT "'");
  }
  if (!complete(descriptor, data)) {
    return wrong(path, descriptor.name, std::string("has a null function in its table '") + data_id + "'");
  }
  return {};
}

Status check_numbers(const weir_descriptor& descriptor, const std::string& path) {
  if (descriptor.takeover > WEIR_TAKEOVER_EXCLUSIVE) {
    return wrong(path, descriptor.name, "has an unknown takeover");
  }
  if (descriptor.transform > WEIR_TRANSFORM_STATEFUL) {
    return wrong(path, descriptor.name, "is neither a pure nor a stateful transform");
  }
  if ((descriptor.capabilities & ~uint32_t{WEIR_CAP_NET | WEIR_CAP_FS}) != 0) {
    return wrong(path, descriptor.name, "asks for a capability that this gateway does not know");
  }
  return {};
}

Status check_against_note(const weir_descriptor& descriptor, const Note& note, const std::string& path) {
  auto promised = note.components.find(std::string_view(descriptor.name));
  if (promised == note.components.end()) return wrong(path, descriptor.name, "is not in the plugin's note");
  if (descriptor.kind != static_cast<weir_kind>(promised->second)) {
    return wrong(path, descriptor.name,
                 "is a " + std::string(kind_name(promised->second)) + " in the plugin's note and a " +
                     std::string(kind_name(static_cast<Kind>(descriptor.kind))) + " in its descriptor");
  }
  return {};
}

Component copy(const weir_entry& entry, const weir_descriptor& descriptor) {
  Component component;
  component.name = descriptor.name;
  component.kind = static_cast<Kind>(descriptor.kind);
  component.description = descriptor.description == nullptr ? "" : descriptor.description;
  component.config_schema = descriptor.config_schema;
  component.required = ids(descriptor.required);
  component.optional = ids(descriptor.optional);
  component.needs_network = (descriptor.capabilities & WEIR_CAP_NET) != 0;
  component.needs_files = (descriptor.capabilities & WEIR_CAP_FS) != 0;
  component.exclusive = descriptor.takeover == WEIR_TAKEOVER_EXCLUSIVE;
  component.stateful = descriptor.transform == WEIR_TRANSFORM_STATEFUL;
  if (descriptor.kind == WEIR_KIND_TRANSFORM) {
    auto* table = static_cast<const weir_transform_v1*>(entry.get_interface(descriptor.name, WEIR_TRANSFORM));
    component.state_format = table->state_format;
    component.ticks = component.stateful && table->tick != nullptr;
  }
  return component;
}

Result<Component> describe_one(const weir_entry& entry, uint32_t i, const Note& note,
                               const std::string& path) {
  const weir_descriptor* descriptor = entry.descriptor(i);
  if (descriptor == nullptr || descriptor->size < sizeof(weir_descriptor) || descriptor->name == nullptr) {
    return refused(path, "gives no usable descriptor for component number " + std::to_string(i + 1),
                   "the plugin's author has to mend descriptor()");
  }
  if (Status fits = check_against_note(*descriptor, note, path); !fits) return fits.error();
  if (Status schema = check_schema(*descriptor, path); !schema) return schema.error();
  if (Status numbers = check_numbers(*descriptor, path); !numbers) return numbers.error();
  if (Status required = check_required(*descriptor, path); !required) return required.error();
  if (Status tables = check_tables(entry, *descriptor, path); !tables) return tables.error();
  return copy(entry, *descriptor);
}

}  // namespace

const std::vector<std::string_view>& host_interfaces() {
  static const std::vector<std::string_view> all = {WEIR_LOG,     WEIR_METRICS, WEIR_CLOCK,    WEIR_TIMER,
                                                    WEIR_WATCH,   WEIR_SOCKET,  WEIR_KEYVALUE, WEIR_GATEWAY,
                                                    WEIR_INGRESS, WEIR_DELIVERY};
  return all;
}

Status check_entry(const weir_entry& entry, const Note& note, const std::string& path) {
  if (entry.abi_major != WEIR_ABI_MAJOR || entry.abi_minor > WEIR_ABI_MINOR ||
      entry.abi_minor < note.abi_minor_low || entry.abi_minor > note.abi_minor_high) {
    return refused(path,
                   "has an entry table for the plugin ABI " + std::to_string(entry.abi_major) + "." +
                       std::to_string(entry.abi_minor) + ", which is not what its note says",
                   "the note and the table must be built with the same SDK headers");
  }
  if (!entry.init || !entry.deinit || !entry.component_count || !entry.descriptor || !entry.get_interface) {
    return refused(path, "has an entry table with a null function",
                   "every function of weir_entry must be there");
  }
  return {};
}

Result<std::vector<Component>> describe(const weir_entry& entry, const Note& note, const std::string& path) {
  const uint32_t count = entry.component_count();
  if (count > kMaxComponents) {
    return refused(path, "says that it has " + std::to_string(count) + " components",
                   "at most " + std::to_string(kMaxComponents) + " are allowed");
  }
  std::vector<Component> components;
  std::set<std::string> seen;
  for (uint32_t i = 0; i < count; ++i) {
    Result<Component> component = describe_one(entry, i, note, path);
    if (!component) return component.error();
    if (!seen.insert(component->name).second) return wrong(path, component->name, "is described twice");
    components.push_back(std::move(component).value());
  }
  for (const auto& [name, kind] : note.components) {
    if (!seen.contains(name)) {
      return refused(
          path,
          "has a " + std::string(kind_name(kind)) + " '" + name + "' in its note but no descriptor of it",
          "the note and the descriptors must name the same components");
    }
  }
  return components;
}

}  // namespace weir::plugin
