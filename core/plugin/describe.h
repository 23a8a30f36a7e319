// What a loaded plugin says about its components, checked before anybody believes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/elf_note.h"
#include "weir/entry.h"

namespace weir::plugin {

// A component's descriptor, checked and copied.
struct Component {
  std::string name;
  Kind kind = Kind::kSource;
  std::string description;
  std::string config_schema;  // a JSON object
  std::vector<std::string> required;
  std::vector<std::string> optional;
  bool needs_network = false;
  bool needs_files = false;
  bool exclusive = false;  // the successor may start only after the predecessor has stopped
  bool stateful = false;
  uint32_t state_format = 0;  // of a stateful transform
  bool ticks = false;         // it wants to be told the time
};

// The host interfaces that this gateway offers to instances.
const std::vector<std::string_view>& host_interfaces();

// Checks the entry table of a library against its note before anything of it is called: the ABI it was built
// with, and that no function is missing.
base::Status check_entry(const weir_entry& entry, const Note& note, const std::string& path);

// Reads all descriptors and checks them: names and kinds are the note's, the schema is JSON, the required
// host interfaces exist, the tables are there and complete. Calls the plugin.
base::Result<std::vector<Component>> describe(const weir_entry& entry, const Note& note,
                                              const std::string& path);

}  // namespace weir::plugin
