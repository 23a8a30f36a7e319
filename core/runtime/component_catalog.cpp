#include "runtime/component_catalog.h"

namespace weir::runtime {

base::Result<manifest::Component> ComponentCatalog::find(const std::string& name,
                                                         const manifest::VersionRange& range) const {
  auto offer = plugins_.offer(name, [&](std::string_view version) { return range.contains(version); });
  if (!offer) return offer.error();
  manifest::Component component;
  component.kind = static_cast<manifest::Kind>(offer->component.kind);
  component.version = offer->note.version;
  component.schema = offer->component.config_schema;
  component.exclusive = offer->component.exclusive;
  component.stateful = offer->component.stateful;
  component.artifact = offer->library;
  return component;
}

}  // namespace weir::runtime
