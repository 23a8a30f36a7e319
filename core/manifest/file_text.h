// Reads small files that anybody may have put there.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace weir::manifest {

// The contents of a regular file of at most `max_bytes`. Never waits, whatever the path names (a pipe, a
// device). kNotFound when there is none.
base::Result<std::string> read_file_text(const std::filesystem::path& path, size_t max_bytes);

}  // namespace weir::manifest
