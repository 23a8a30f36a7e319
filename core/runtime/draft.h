// What an apply has made and not switched to yet: the assembly's own, shared by its files.
#pragma once

#include "runtime/assembly.h"

namespace weir::runtime {

struct Assembly::Draft {
  graph::Plan plan;
  std::map<std::string, std::unique_ptr<SourceRunner>> sources;
  std::map<std::string, std::unique_ptr<SinkRunner>> sinks;
  std::map<std::string, std::unique_ptr<StatefulRunner>> stateful;
  std::map<std::string, NewPath> paths;
  std::optional<Leftover> leftover;  // when it is another than before
  std::map<std::string, Failure> failed;
  manifest::Problems problems;
};

// Of an enabled instance, whose component is known.
graph::Kind kind_of(const manifest::InstanceConfig& config);

// What tells two ways from the journal to one consumer apart.
std::string path_fingerprint(const manifest::LoadedSet& set, const graph::Path& path);

}  // namespace weir::runtime
