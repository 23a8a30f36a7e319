// Notices that something in the manifests folder has changed.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::manifest {

// One thread. Poll fd() for reading; then call drain().
class FolderWatch {
 public:
  // Load the folder when nothing has happened for so long: copying ten files, or an editor's save, is one
  // change.
  static constexpr auto kSettleTime = std::chrono::milliseconds(100);

  // The folder need not exist yet; the folder it is in must.
  static base::Result<std::unique_ptr<FolderWatch>> open(const std::filesystem::path& folder);

  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  int fd() const { return fd_; }

  // Reads what has been reported, without waiting. True when a manifest may have changed, or the folder has
  // gone or come: load it again after kSettleTime. Files of editors and copying tools do not count.
  bool drain();

  // False after the folder has been deleted or moved away; true again, with drain() true, when there is one
  // at its place once more.
  bool folder_exists() const { return folder_watch_ >= 0; }

 private:
  FolderWatch(int fd, std::filesystem::path folder);

  void watch_folder();
  bool handle(int watch, uint32_t mask, const std::string& name);

  const int fd_;
  const std::filesystem::path folder_;
  int parent_watch_ = -1;
  int folder_watch_ = -1;
};

}  // namespace weir::manifest
