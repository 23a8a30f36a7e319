// What the manifests ask about components, answered from the plugins there are.
#pragma once

#include "manifest/catalog.h"
#include "plugin/catalog.h"

namespace weir::runtime {

// Answering loads the plugin (and probes it the first time), because its schema is in its code. Any thread.
class ComponentCatalog : public manifest::ComponentCatalog {
 public:
  explicit ComponentCatalog(plugin::Catalog& plugins) : plugins_(plugins) {}
  base::Result<manifest::Component> find(const std::string& name, const manifest::VersionRange& range) const override;

 private:
  plugin::Catalog& plugins_;
};

}  // namespace weir::runtime
