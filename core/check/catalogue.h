// The list of checks: what each tries, and why anybody should care.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::check {

class Trial;

// What must have been found right before a check makes sense.
enum class Needs {
  kFile,     // nothing: it looks at the file only, without running any of its code
  kLibrary,  // it loads
  kConfig,   // a configuration that create() accepts
  kLife,     // one plain life from create to destroy
  kWork      // a little ordinary work
};

// Which components a check is for.
enum Kinds : uint32_t {
  kWholeFile = 0,
  kSources = 1u << 1,  // 1 << WEIR_KIND_...
  kTransforms = 1u << 2,
  kSinks = 1u << 3,
  kAll = kSources | kTransforms | kSinks,
  kStateful = 1u << 8,  // with kTransforms: of these, only the stateful ones
  kPure = 1u << 9       // with kTransforms: of these, only the pure ones
};

struct Check {
  const char* name;
  uint32_t kinds;
  Needs needs;
  const char* tries;    // what it does, one line
  const char* matters;  // what a plugin that fails it does in the field
  // Null for a rule that is watched during all the others: its findings come from their children.
  void (*body)(Trial& trial);
  // The checks without which a failure of this one says nothing new, separated by blanks.
  const char* after = "";
  bool needs_events = false;  // a rule about what a source emits, which nobody sees when it emits nothing

  // Where the author reads on.
  std::string page() const { return "docs/plugin-author/checks.md#" + std::string(name); }
};

// Every check, in the order in which they run: what others depend on comes first.
std::span<const Check> catalogue();

// Null when there is no such check.
const Check* find_check(std::string_view name);

}  // namespace weir::check
