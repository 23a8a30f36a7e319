// A folder that goes away with its object.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace weir::test {

// An empty folder below TMPDIR (or /tmp), removed with all it holds. Throws std::runtime_error when it cannot
// be made.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const { return path_; }
  // The path of `name` in it, as text.
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  // Writes a file in it (folders of `name` are made) and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

// The whole content of a file, empty when there is none.
std::string read_file(const std::filesystem::path& path);

}  // namespace weir::test
