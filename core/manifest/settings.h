// Reads settings out of a document that its schema has found right: sizes, times, texts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/time.h"
#include "manifest/document.h"
#include "manifest/problem.h"

namespace weir::manifest {

// Pointers name the setting: "/journal/max_bytes". One that is absent gives nothing; one that is wrong adds a
// problem and gives nothing.
class Settings {
 public:
  Settings(const Document& document, Problems& problems) : document_(document), problems_(problems) {}

  const nlohmann::json* find(const std::string& pointer) const;
  std::optional<std::string> text(const std::string& pointer) const;
  std::optional<bool> boolean(const std::string& pointer) const;
  std::optional<uint64_t> integer(const std::string& pointer) const;
  std::optional<double> number(const std::string& pointer) const;
  std::optional<uint64_t> bytes(const std::string& pointer, uint64_t at_least, uint64_t at_most);
  std::optional<base::Duration> duration(const std::string& pointer, base::Duration at_least);

  void refuse(const std::string& pointer, std::string what, std::string expected);

 private:
  const Document& document_;
  Problems& problems_;
};

}  // namespace weir::manifest
