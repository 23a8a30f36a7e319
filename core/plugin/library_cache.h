// The libraries of one gateway: private copies on disk, and which of them are open.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "plugin/elf_note.h"
#include "plugin/library.h"

namespace weir::plugin {

// The private copies below one folder and the libraries that are open from them. A copy is named by the
// SHA-256 of its content: equal bytes are one library, and a plugin's file that is overwritten in place hurts
// nobody. Any thread; loading and unloading are serial.
class LibraryCache {
 public:
  explicit LibraryCache(std::string folder) : state_(std::make_shared<State>()) {
    state_->folder = std::move(folder);
  }

  // Makes the private copy of a file with that digest (lower-case hex) unless it is there, and gives its
  // path. Fails when the content has another digest by now. Atomic and durable: a crash leaves no half copy
  // under the name.
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
