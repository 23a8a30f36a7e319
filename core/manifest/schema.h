// JSON Schema (draft-07) for manifests: what a file or a plugin's configuration must look like.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manifest/document.h"
#include "manifest/problem.h"

namespace weir::manifest {

// A schema ready for use. Constant; any thread. `format` is not looked at (it is an annotation in draft-07).
class Schema {
 public:
  // Fails when `text` is no schema we can work with; the text may come from a plugin and can be anything.
  // Refused are, beside what is wrong: references to other documents, and to itself with nothing in between.
  static base::Result<Schema> parse(std::string_view text);

  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // Checks `value`, which stands at the pointer `at` of `document`. `value` need not be what is written there
  // (secrets have been filled in); messages repeat only what is written.
  Problems check(const nlohmann::json& value, const Document& document, const std::string& at) const;

 private:
  struct Compiled;
  explicit Schema(std::unique_ptr<Compiled> compiled);

  std::unique_ptr<Compiled> compiled_;
};

}  // namespace weir::manifest
