#include "manifest/schema.h"

// Without it valijson ends the process on a schema it does not like.
#define VALIJSON_USE_EXCEPTIONS 1
#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "manifest/schema_problems.h"
#include "manifest/schema_tree.h"

namespace weir::manifest {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

// libstdc++'s regular expressions recurse once a character and once a bracket of the pattern around it: 4096
// bytes against a pattern of 61 overflowed 8 MiB of stack. So bytes of text times bytes of pattern are
// bounded, at an eighth.
constexpr size_t kMaxPatternWork = 32 * 1024;

std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (size_t i = 1; i < context.size(); ++i) {  // the first is "<root>", the others stand in brackets
    pointer = child_pointer(pointer, std::string_view(context[i]).substr(1, context[i].size() - 2));
  }
  return pointer;
}

// Strings too long for a pattern that the schema would try on them.
class OverlongTexts {
 public:
  OverlongTexts(const json& schema, const Document& document, const std::string& at)
      : schema_(schema), document_(document), at_(at) {}

  Problems find(const json& value) {
    visit(value);
    return std::move(problems_);
  }

 private:
  void visit(const json& value) {
    if (value.is_string()) return check(value.get_ref<const std::string&>().size());
    if (!value.is_structured()) return;
    for (const auto& [key, inner] : value.items()) {
      path_.push_back(key);
      visit(inner);
      path_.pop_back();
    }
  }

  void check(size_t bytes) {
    constexpr size_t kFitsAnyPattern = kMaxPatternWork / kMaxPatternBytes;
    if (bytes <= kFitsAnyPattern || problems_.size() >= kMaxProblems) return;
    const size_t pattern = longest_pattern(subschemas_at(schema_, path_, true));
    if (bytes * pattern <= kMaxPatternWork) return;
    std::string pointer = at_;
    for (const std::string& token : path_) pointer = child_pointer(pointer, token);
    problems_.push_back(
        document_.value_problem(std::move(pointer), "the text is too long for the pattern it must match",
                                "at most " + std::to_string(kMaxPatternWork / pattern) + " bytes"));
  }

  const json& schema_;
  const Document& document_;
  const std::string& at_;
  std::vector<std::string> path_;
  Problems problems_;
};

}  // namespace

struct Schema::Compiled {
  json tree;
  valijson::Schema schema;
};

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

base::Result<Schema> Schema::parse(std::string_view text) {
  const auto broken = [](const std::string& why) {
    return base::error(base::Code::kInvalid, "the schema is broken: " + why);
  };
  Problems problems;
  auto document = Document::parse("schema", text, problems);
  if (document == nullptr) return broken(problems.front().text());
  auto compiled = std::make_unique<Compiled>();
  compiled->tree = document->root();
  if (auto status = prepare_schema(compiled->tree); !status.ok()) return broken(status.error().what);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    const NlohmannJsonAdapter adapter(compiled->tree);
    parser.populateSchema(adapter, compiled->schema);
  } catch (const std::exception& failure) {
    return broken(failure.what());
  }
  return Schema(std::move(compiled));
}

Problems Schema::check(const json& value, const Document& document, const std::string& at) const {
  Problems problems = OverlongTexts(compiled_->tree, document, at).find(value);
  if (!problems.empty()) return problems;

  std::vector<Finding> findings;
  try {
    valijson::Validator validator;
    valijson::ValidationResults results;
    const NlohmannJsonAdapter adapter(value);
    if (validator.validate(compiled_->schema, adapter, &results)) return {};
    for (const auto& error : results) findings.push_back({pointer_of(error.context), error.description});
  } catch (const std::exception& failure) {
    const std::string why = std::string("the component's schema cannot be checked: ") + failure.what();
    return {document.value_problem(at, why, "a component with a good schema")};
  }
  return explain(findings, compiled_->tree, value, document, at);
}

}  // namespace weir::manifest
