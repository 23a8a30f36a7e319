// The configuration of a sqlite.sink instance.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace weir::sqlite {

struct Config {
  std::string path;
  std::chrono::milliseconds busy_timeout{5000};
  bool full_sync = true;  // PRAGMA synchronous: FULL or NORMAL
};

extern const char kConfigSchema[];

// Throws sdk::Failure (WEIR_E_INVALID, with the key's JSON pointer).
Config parse_config(std::string_view json);

}  // namespace weir::sqlite
