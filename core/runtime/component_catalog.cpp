#include "runtime/component_catalog.h"

namespace weir::runtime {

base::Result<manifest::Component> ComponentCatalog::find(const std::string& name,
                                                         const manifest::VersionRange& range) const {
  auto library = plugins_.load(name, [&](std::string_view version) { return range.contains(version); });
  if (!library) return library.error();
  const plugin::Component* found = (*library)->find(name);
  if (found == nullptr) return base::error(base::Code::kNotFound, "the plugin does not offer " + name);
  manifest::Component component;
  component.kind = static_cast<manifest::Kind>(found->kind);
  component.version = (*library)->note().version;
  component.schema = found->config_schema;
  component.exclusive = found->exclusive;
  component.stateful = found->stateful;
  component.artifact = (*library)->path();  // named by the content's digest
  return component;
}

}  // namespace weir::runtime
