// An edge of the graph: where events come from, and which of them.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "graph/flow.h"
#include "weir/condition/condition.h"

namespace weir::graph {

struct Edge {
  Edge(const char* name) : from(name) {}
  Edge(std::string name) : from(std::move(name)) {}
  Edge(std::string name, std::optional<condition::Condition> condition)
      : from(std::move(name)), when(std::move(condition)) {}

  std::string from;                          // a source or a node
  std::optional<condition::Condition> when;  // nothing: every event comes through
};

// Lets through what the condition holds for: it is appended to `out`, and what it does not hold for to `refused`, as
// unmatched at `node`. A flow that comes through whole is passed on as it is, another one is copied in part.
void let_through(const condition::Condition& when, Flow flow, uint32_t node, std::vector<Flow>* out,
                 std::vector<Verdict>* refused);

}  // namespace weir::graph
