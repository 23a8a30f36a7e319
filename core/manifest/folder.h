// The manifests folder: what to run. It is taken as a whole or not at all.
//
// gateway.json is the gateway; every other NAME.json is the instance NAME. Read in two steps, because which
// plugins there are depends on gateway.json: read_folder looks at each file by itself, check_set at how they
// fit together.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "manifest/catalog.h"
#include "manifest/gateway_config.h"
#include "manifest/instance_config.h"
#include "manifest/problem.h"

namespace weir::manifest {

inline constexpr const char* kGatewayFile = "gateway.json";

struct LoadedSet {
  std::filesystem::path folder;  // as it was given
  std::filesystem::path base;    // absolute: the folder's parent, where relative paths start
  GatewayConfig gateway;
  std::map<std::string, InstanceConfig> instances;  // by name, the disabled ones included
  std::set<std::string>
      unreadable;     // instances whose files are there and could not be parsed: each has a problem
  Problems problems;  // sorted by file and place

  // Only such a set may be applied.
  bool ok() const { return problems.empty(); }
};

// Reads all manifests of `folder`. A file that disappears meanwhile is not there.
LoadedSet read_folder(const std::filesystem::path& folder);

// Checks what read_folder found: components and versions, each configuration against its component's schema,
// which settings the component's kind has, the graph. Fills in InstanceConfig::component; adds to
// `set.problems`. Disabled instances are only checked for their form: what they need may not be there yet.
void check_set(LoadedSet& set, const ComponentCatalog& catalog);

// Both.
LoadedSet load_folder(const std::filesystem::path& folder, const ComponentCatalog& catalog);

// True for the names of files that are no manifests but are made while one is written: hidden files, and
// those of editors and copying tools. "..data" is not one of them: mounted configuration is exchanged under
// that name.
bool is_passing_file(std::string_view file_name);

}  // namespace weir::manifest
