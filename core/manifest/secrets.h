// References to secrets in an instance's configuration: "${file:PATH}" and "${env:NAME}".
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "manifest/document.h"
#include "manifest/problem.h"

namespace weir::manifest {

inline constexpr size_t kMaxSecretBytes = 64 * 1024;  // a chain of certificates fits

// Puts the values in the place of the references, in every string of `value` (which stands at the pointer
// `at` of `document`), also within a longer text ("Bearer ${file:token}"). A file's last line end is no part
// of its secret. "$${" stands for "${"; nothing else is expanded, not in keys and not in what was put in.
// Relative paths start at `base`. What cannot be resolved is added to `problems`, which never repeat a
// secret.
void resolve_secrets(nlohmann::json& value, const std::filesystem::path& base, const Document& document,
                     const std::string& at, Problems& problems);

}  // namespace weir::manifest
