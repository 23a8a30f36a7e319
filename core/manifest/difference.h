// What changes between the set that runs and the set that is wanted.
#pragma once

#include <string>
#include <vector>

#include "manifest/folder.h"

namespace weir::manifest {

// An instance that is in both sets and not the same; which parts of it changed.
struct Change {
  std::string name;
  bool component = false;  // another component, version or build of it
  bool config = false;     // what the component is told, a secret's value included
  bool edges = false;      // from
  bool delivery = false;   // durability, flush_ms, start, on_error, retry, limits
};

struct Difference {
  std::vector<std::string> added;  // sorted, as all lists here; enabled now and not before
  std::vector<std::string> removed;
  std::vector<Change> changed;

  // Parts of gateway.json that may change while the gateway runs.
  bool plugin_dirs = false;
  bool journal = false;  // max_bytes, retention, segment_bytes
  bool memory = false;

  // What only a restart can change: gateway_id, data_dir, admin.listen. When this is not empty nothing of the
  // wanted set may be applied, because the half of it would be another gateway than either set describes.
  Problems refused;

  bool empty() const;
};

// Both sets have been checked and are ok. Any thread.
Difference compare(const LoadedSet& running, const LoadedSet& wanted);

}  // namespace weir::manifest
