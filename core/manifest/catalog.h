// What the manifests need to know about the components there are. The runtime answers, from its plugins.
#pragma once

#include <string>

#include "base/result.h"
#include "manifest/semver.h"

namespace weir::manifest {

enum class Kind { kSource = 1, kTransform = 2, kSink = 3 };  // the numbers of weir_kind

// "source", "transform", "sink"
const char* name(Kind kind);

struct Component {
  Kind kind = Kind::kSource;
  std::string version;     // the plugin's
  std::string schema;      // JSON Schema of its configuration; empty: it takes any
  bool exclusive = false;  // its successor must not be started while it runs (takeover: exclusive)
  bool stateful = false;   // of a transform: it is a consumer of its own
  std::string artifact;    // what tells two builds of one version apart (a digest); may be empty
};

class ComponentCatalog {
 public:
  virtual ~ComponentCatalog() = default;

  // The component to use for `name` ("http.source"): of the highest version in `range` that works. An error
  // says why there is none: kNotFound when no plugin offers the name, anything else when none of the versions
  // will do.
  virtual base::Result<Component> find(const std::string& name, const VersionRange& range) const = 0;
};

}  // namespace weir::manifest
