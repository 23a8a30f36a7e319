// Reads a mapping document and makes its plan. Every function that returns bool returns false when the fault
// has been filled: with the pointer of what is wrong, and what would be right.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "json_tree.h"
#include "plan.h"
#include "weir/mapping/mapping.h"

namespace weir::mapping {

class Compiler {
 public:
  // Limits of one document, which is written by hand.
  static constexpr size_t kMaxBytes = 1024 * 1024;
  static constexpr uint32_t kMaxReadings = 256;

  Compiler(Plan& plan, MappingFault* fault) : plan_(plan), fault_(fault) {}

  bool compile(std::string_view json, std::span<const std::string_view> variables);

 private:
  // The document as a whole (compiler.cpp).
  bool variables(std::span<const std::string_view> given);
  bool format();
  bool payload_form();
  bool senml();
  bool readings();
  bool reading(uint32_t node);
  bool what_is_read(uint32_t node, Scope* scope, Reading* out);
  bool field_rules(uint32_t node, Reading* out);
  bool overrides(uint32_t node, const Scope& scope, Reading* out);

  // Its parts (compile_rules.cpp).
  bool each(uint32_t node, const char* key, std::optional<Each>* out);
  bool filter(uint32_t node, Filter* out);
  bool text_rule(uint32_t node, const char* key, const Scope& scope, std::optional<TextRule>* out);
  bool time_rule(uint32_t node, const Scope& scope, std::optional<TimeRule>* out);
  bool time_object(uint32_t time, TimeRule* out);
  bool metadata(uint32_t node, const Scope& scope, std::vector<MetadataRule>* out);
  bool words(uint32_t node, std::optional<Words>* out);
  bool constant(uint32_t node, Constant* out);
  bool value_rule(uint32_t node, ValueRule* out);
  bool text_table(uint32_t node, const char* key, std::vector<std::pair<std::string, std::string>>* out);

  // Members by key (compile_rules.cpp). JsonTree::kNone: it is not there, which is no fault.
  uint32_t member(uint32_t node, const char* key) const { return tree_.member(node, key); }
  bool keys(uint32_t node, std::initializer_list<std::string_view> known);
  bool flag(uint32_t node, const char* key, bool* out);
  bool string(uint32_t node, const char* key, std::string_view* out, bool* there);
  bool pointer(uint32_t node, const char* key, const Scope& scope, Pointer* out);
  bool expect(uint32_t node, JsonKind kind, const char* what);

  bool refuse(uint32_t node, const std::string& why) { return refuse_at(tree_.pointer(node), why); }
  bool refuse_at(std::string pointer, const std::string& why);
  std::string place(uint32_t node, const char* key) const { return tree_.pointer(node) + "/" + key; }

  Plan& plan_;
  MappingFault* fault_;
  JsonTree tree_;
  Scope scope_;  // of the mapping's own keys
  std::optional<Words> words_;
};

}  // namespace weir::mapping
