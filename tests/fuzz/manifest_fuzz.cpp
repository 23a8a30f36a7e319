// Any bytes as a manifest: reading it must neither crash nor hang, and each problem must have its text.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"
#include "manifest/document.h"
#include "manifest/gateway_config.h"
#include "manifest/instance_config.h"
#include "manifest/schema.h"

namespace {

using namespace weir::manifest;

const Schema& component_schema() {
  static const Schema schema = [] {
    auto parsed = Schema::parse(R"({
      "type": "object", "additionalProperties": false, "required": ["listen"],
      "properties": {
        "listen": { "type": "string", "pattern": "^[^:]+:[0-9]+$" },
        "mode": { "enum": ["fast", "safe"] },
        "size": { "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "array", "items": { "type": "string" } }] }
      } })");
    WEIR_CHECK(parsed.ok());
    return std::move(parsed).value();
  }();
  return schema;
}

void check_positions(const Document& document, const Problems& problems) {
  for (const Problem& problem : problems) {
    WEIR_CHECK(!problem.text().empty());
    WEIR_CHECK(problem.position == Position{} || (problem.position.line > 0 && problem.position.column > 0));
    WEIR_CHECK(document.value_position(problem.pointer).line > 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Problems problems;
  const auto document = Document::parse("fuzz.json", text, problems);
  WEIR_CHECK((document == nullptr) == !problems.empty());
  for (const Problem& problem : problems) WEIR_CHECK(!problem.text().empty());
  if (document == nullptr) return 0;

  const InstanceConfig instance = read_instance_config("fuzz", document, "/none", problems);
  const Problems found =
      component_schema().check(nlohmann::json::parse(instance.config), *document, "/config");
  problems.insert(problems.end(), found.begin(), found.end());
  read_gateway_config(document, "/none", problems);
  check_positions(*document, problems);

  (void)Schema::parse(text);  // a plugin's schema can be anything too
  return 0;
}
