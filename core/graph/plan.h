// From the `from` edges of a set of instances to what stands in front of each consumer. Pure: no instance is
// touched.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace weir::graph {

enum class Kind {
  kSource,
  kTransform,  // pure: stands in front of consumers
  kStateful,   // a consumer, and for others a source
  kSink
};

// An instance as the graph sees it.
struct Vertex {
  std::string name;
  Kind kind = Kind::kSource;
  std::vector<std::string> from;
};

// What one consumer (a sink or a stateful transform) is fed through. Everything a Pipeline needs but the
// calls.
struct Path {
  std::string consumer;
  std::vector<std::string> from;     // the consumer's own edges, in the manifest's order
  std::vector<std::string> nodes;    // pure transforms on the way, each after what it reads
  std::vector<std::string> sources;  // whose events reach it (stateful transforms among them), sorted
};

struct Plan {
  std::vector<Path> paths;           // sorted by consumer
  std::vector<std::string> unused;   // pure transforms that lead to no consumer, sorted
  std::vector<std::string> unheard;  // sources that no consumer is reached from, sorted
};

// Fails with kInvalid on two instances of one name, an edge to nothing or to a sink, a source with edges,
// another instance without, and on a cycle, which the error spells out: "a -> b -> a". Error::where is the
// instance.
base::Result<Plan> plan(const std::vector<Vertex>& vertices);

}  // namespace weir::graph
