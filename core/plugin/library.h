// A loaded plugin: opened from a private copy, checked, initialised, and unloaded when nobody holds it any
// more.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "plugin/describe.h"
#include "plugin/elf_note.h"

namespace weir::plugin {

// Where the loading of a library stands; tells a probe's parent what was running when the child died.
enum class Stage { kOpen, kInit, kDescribe, kUnload };

// One library in memory. Its tables are valid while somebody holds it. Immutable, any thread.
class Library {
 public:
  // Loads the file at `path`, which must hold what `note` says and never change again, and runs init.
  // `on_stage` may be empty; it is called before each step. Runs on a thread of its own, so that a
  // thread_local of the plugin cannot pin it, and gives up after `limit`: then the library stays in memory
  // for ever, and the error is kTimeout.
  static base::Result<std::unique_ptr<Library>> open(const std::string& path, const Note& note,
                                                     base::Duration limit,
                                                     std::function<void(Stage)> on_stage = {});
  // Runs close(), and logs when the library did not go.
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Runs deinit, unloads, and looks whether the library has really left the process. An error names what may
  // hold it; the code stays mapped then, which costs memory and nothing else. A second call does nothing.
  base::Status close();

  const Note& note() const { return note_; }
  const std::string& path() const { return path_; }  // of the private copy
  const std::vector<Component>& components() const { return components_; }

  // Null when there is no such component.
  const Component* find(std::string_view component) const;

  // A table of a component (WEIR_COMPONENT, WEIR_SINK ...), null when it is not offered.
  const void* table(const std::string& component, const char* id) const;

 private:
  struct Loaded;
  Library();

  std::string path_;
  Note note_;
  std::vector<Component> components_;
  std::shared_ptr<Loaded> loaded_;  // shared with the thread of a call that may never return
};

// Whether a file is mapped into this process (/proc/self/maps).
bool is_mapped(const std::string& path);

}  // namespace weir::plugin
