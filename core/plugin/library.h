// A loaded plugin: opened from a private copy, checked, initialised, and unloaded when nobody holds it any more.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "plugin/elf_note.h"

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
};

// Where the loading of a library stands; tells a probe's parent what was running when the child died.
enum class Stage { kOpen, kInit, kDescribe, kDeinit, kClose };

// One library in memory. Its tables are valid while somebody holds it. Immutable, any thread.
class Library {
 public:
  // Loads the file at `path`, which must hold what `note` says and never change again, and runs init. `on_stage` may
  // be empty; it is called before each step. Runs on a thread of its own, so that a thread_local of the plugin cannot
  // pin it, and gives up after `limit`: then the library stays in memory for ever, and the error is kTimeout.
  static base::Result<std::unique_ptr<Library>> open(const std::string& path, const Note& note,
                                                     base::Duration limit,
                                                     std::function<void(Stage)> on_stage = {});
  // Runs close(), and logs when the library did not go.
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Runs deinit, unloads, and looks whether the library has really left the process. An error names what may hold
  // it; the code stays mapped then, which costs memory and nothing else. A second call does nothing.
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

// The private copies below one folder and the libraries that are open from them. A copy is named by the SHA-256 of
// its content: equal bytes are one library, and a plugin's file that is overwritten in place hurts nobody.
// Any thread; loading and unloading are serial.
class LibraryCache {
 public:
  explicit LibraryCache(std::string folder) : state_(std::make_shared<State>()) { state_->folder = std::move(folder); }

  // Makes the private copy of a file with that digest (lower-case hex) unless it is there, and gives its path. Fails
  // when the content has another digest by now. Atomic and durable: a crash leaves no half copy under the name.
  base::Result<std::string> store(const std::string& path, const std::string& digest);

  // The library of a stored copy: the one already open, or a new one.
  base::Result<std::shared_ptr<Library>> open(const std::string& digest, const Note& note);

  // Removes the copies that no open library came from, except `keep`. Returns how many.
  size_t sweep(const std::vector<std::string>& keep = {});

 private:
  struct State {
    std::string folder;
    std::mutex mutex;  // held while a library is opened or closed: never two versions of one path at once
    std::unordered_map<std::string, std::weak_ptr<Library>> open;  // by digest
  };
  std::shared_ptr<State> state_;  // shared with the deleter of each library
};

}  // namespace weir::plugin
