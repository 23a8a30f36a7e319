#include "manifest/schema_problems.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "manifest/schema_tree.h"
#include "manifest/spelling.h"

namespace weir::manifest {
namespace {

using nlohmann::json;
using Subschemas = std::vector<const json*>;

// Texts of valijson 1.0 that only say that something inside, or one of several branches, does not fit.
constexpr std::string_view kEchoes[] = {
    "Failed to validate against schema associated with",
    "Failed to validate against additional properties schema",
    "Failed to validate against any ",
    "Failed to validate against a conditional schema",
    "Failed to validate against child schema",
    "Failed to validate against dependent schema",
    "Failed to validate item #",
};

bool is_echo(const Finding& finding) {
  return std::any_of(std::begin(kEchoes), std::end(kEchoes),
                     [&](std::string_view echo) { return finding.text.starts_with(echo); });
}

bool is_choice(const Finding& finding) { return finding.text.starts_with("Failed to validate against any "); }

bool is_below(const std::string& pointer, const std::string& top) {
  return pointer.size() > top.size() && pointer.starts_with(top) && pointer[top.size()] == '/';
}

// What is between the first two single quotes, or after the first when it is the last but for a full stop.
std::string quoted_name(const std::string& text) {
  const size_t begin = text.find('\'');
  const size_t end = text.rfind('\'');
  return begin == std::string::npos || end <= begin ? "" : text.substr(begin + 1, end - begin - 1);
}

// Leaves the faults themselves. Of a value that fits no branch of an anyOf, what is wrong deepest says most:
// that branch was meant.
void drop_echoes(std::vector<Finding>& findings) {
  std::set<std::string> chosen, faulty;
  for (const Finding& finding : findings) {
    if (is_choice(finding)) chosen.insert(finding.pointer);
    if (!is_echo(finding)) faulty.insert(finding.pointer);
  }
  const auto fault_below = [&](const std::string& pointer) {
    return std::any_of(faulty.begin(), faulty.end(),
                       [&](const std::string& other) { return is_below(other, pointer); });
  };
  std::erase_if(findings, [&](const Finding& finding) {
    const bool below = fault_below(finding.pointer);
    if (is_echo(finding)) return below || faulty.count(finding.pointer) != 0;
    return below && chosen.count(finding.pointer) != 0;
  });
}

// One finding, explained.
class Explanation {
 public:
  Explanation(const Finding& finding, const json& schema, const json& value, const Document& document,
              const std::string& at)
      : finding_(finding),
        schema_(schema),
        document_(document),
        pointer_(at + finding.pointer),
        tokens_(pointer_tokens(finding.pointer)),
        subschemas_(subschemas_at(schema, tokens_)),
        value_(value.at(json::json_pointer(finding.pointer))) {}

  void add_to(Problems& problems) const {
    const std::string& text = finding_.text;
    if (text.starts_with("Object contains a property")) return add_unknown_keys(problems);
    if (text.starts_with("Missing required property")) {
      return add_missing(quoted_name(text), problems);
    }
    if (text.starts_with("Missing dependency")) return add_missing(quoted_name(text), problems);
    if (text.starts_with("Failed to validate against schema associated with property name")) {
      const std::string key = quoted_name(text);
      problems.push_back(document_.key_problem(
          child_pointer(pointer_, key), "the key " + in_quotes(key, '\'') + " is not allowed here", ""));
      return;
    }
    problems.push_back(document_.value_problem(pointer_, what(), expected()));
  }

 private:
  void add_unknown_keys(Problems& problems) const {
    const std::vector<std::string> known = known_keys(subschemas_);
    std::vector<std::string> unknown{quoted_name(finding_.text)};
    if (subschemas_.size() == 1 && !subschemas_[0]->contains("patternProperties")) {
      unknown.clear();  // the validator names the first only; here it is plain which others there are
      for (const auto& [key, unused] : value_.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) unknown.push_back(key);
      }
    }
    for (const std::string& key : unknown) {
      if (problems.size() >= kMaxProblems) return;
      problems.push_back(document_.key_problem(
          child_pointer(pointer_, key), "unknown key " + in_quotes(key, '\'') + did_you_mean(key, known),
          known.empty() ? "no keys" : one_of(known)));
    }
  }

  void add_missing(const std::string& key, Problems& problems) const {
    std::vector<std::string> tokens = tokens_;
    tokens.push_back(key);
    problems.push_back(document_.value_problem(pointer_, "the key " + in_quotes(key, '\'') + " is missing",
                                               describe(subschemas_at(schema_, tokens))));
  }

  // The value as it was written; what was filled in for a reference is never repeated.
  std::string written() const {
    const json::json_pointer pointer(pointer_);
    if (!document_.root().contains(pointer)) return name_type(value_);
    const json& value = document_.root().at(pointer);
    if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
    return value.is_structured() ? name_type(value) : value.dump();
  }

  std::string what() const {
    const std::string& text = finding_.text;
    if (text.starts_with("Value type not permitted")) return "the value is " + name_type(value_);
    if (text.starts_with("Failed to match against any enum") || text.find("'const'") != text.npos) {
      return written() + " is none of the values allowed here" + meant();
    }
    if (text.starts_with("Expected number")) return written() + " is out of range";
    if (text.starts_with("Failed to match regex")) return written() + " does not have the right form";
    if (text.starts_with("String should be no")) return written() + " is too long or too short";
    if (text.starts_with("Array should contain")) return count(value_.size(), "element");
    if (text.starts_with("Object should have")) return count(value_.size(), "key");
    if (text.starts_with("Elements at indexes")) return "two elements are equal";
    if (text.starts_with("Value should be a multiple")) return written() + " does not fit";
    return is_echo(finding_) || text.empty() ? "the value does not fit the schema" : text;
  }

  std::string expected() const {
    const std::string& text = finding_.text;
    for (std::string_view lead :
         {"String should be ", "Array should contain ", "Object should have ", "Value should be "}) {
      if (!text.starts_with(lead)) continue;
      std::string rest = text.substr(lead.size());
      if (rest.ends_with('.')) rest.pop_back();
      return rest;
    }
    if (text.starts_with("Elements at indexes")) return "each one once";
    return describe(subschemas_);
  }

  std::string meant() const {
    const json::json_pointer pointer(pointer_);
    if (!document_.root().contains(pointer) || !document_.root().at(pointer).is_string()) return "";
    std::vector<std::string> values;
    for (const json* schema : subschemas_) {
      if (!schema->contains("enum") || !(*schema)["enum"].is_array()) continue;
      for (const json& value : (*schema)["enum"]) {
        if (value.is_string()) values.push_back(value);
      }
    }
    const std::string near = nearest(document_.root().at(pointer).get_ref<const std::string&>(), values);
    return near.empty() ? "" : ", did you mean " + in_quotes(near) + "?";
  }

  static std::string count(size_t size, const std::string& thing) {
    return "there " + std::string(size == 1 ? "is " : "are ") + std::to_string(size) + " " + thing +
           (size == 1 ? "" : "s");
  }

  const Finding& finding_;
  const json& schema_;
  const Document& document_;
  std::string pointer_;
  std::vector<std::string> tokens_;
  Subschemas subschemas_;
  const json& value_;
};

}  // namespace

Problems explain(std::vector<Finding> findings, const json& schema, const json& value,
                 const Document& document, const std::string& at) {
  drop_echoes(findings);
  // valijson says nothing at all for some faults: a schema `false`, a `propertyNames`.
  if (findings.empty()) findings.push_back({"", ""});
  Problems problems;
  std::set<std::string> seen;
  for (const Finding& finding : findings) {
    if (problems.size() >= kMaxProblems) break;
    Problems found;
    Explanation(finding, schema, value, document, at).add_to(found);
    for (Problem& problem : found) {
      if (seen.insert(problem.pointer + "\n" + problem.what).second) problems.push_back(std::move(problem));
    }
  }
  return problems;
}

}  // namespace weir::manifest
