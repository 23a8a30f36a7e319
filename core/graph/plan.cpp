#include "graph/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace weir::graph {
namespace {

using base::Code;
using base::Error;

class Planner {
 public:
  // Names are kept sorted, so that the same instances give the same plan whatever order they come in.
  std::optional<Error> add(const std::vector<Vertex>& vertices) {
    for (const Vertex& vertex : vertices) {
      if (!vertices_.emplace(vertex.name, &vertex).second) {
        return base::error(Code::kInvalid, "two instances have this name", vertex.name, "rename one of them");
      }
    }
    for (const auto& [name, vertex] : vertices_) {
      if (auto wrong = check_edges(*vertex)) return wrong;
    }
    return std::nullopt;
  }

  std::optional<Error> sort() {
    for (const auto& [name, vertex] : vertices_) {
      if (auto cycle = visit(*vertex)) return cycle;
    }
    return std::nullopt;
  }

  Plan plan() const {
    Plan plan;
    std::set<std::string> used;
    for (const auto& [name, vertex] : vertices_) {
      if (vertex->kind != Kind::kSink && vertex->kind != Kind::kStateful) continue;
      std::set<std::string> upstream;
      collect(*vertex, &upstream);
      Path path{name, vertex->from, {}, {}};
      for (const std::string& node : order_) {
        if (!upstream.contains(node)) continue;
        (vertices_.at(node)->kind == Kind::kTransform ? path.nodes : path.sources).push_back(node);
      }
      std::sort(path.sources.begin(), path.sources.end());
      used.merge(upstream);
      plan.paths.push_back(std::move(path));
    }
    for (const auto& [name, vertex] : vertices_) {
      if (used.contains(name)) continue;
      if (vertex->kind == Kind::kTransform) plan.unused.push_back(name);
      if (vertex->kind == Kind::kSource || vertex->kind == Kind::kStateful) plan.unheard.push_back(name);
    }
    return plan;
  }

 private:
  std::optional<Error> check_edges(const Vertex& vertex) const {
    if (vertex.kind == Kind::kSource && !vertex.from.empty()) {
      return base::error(Code::kInvalid, "a source takes nothing from other instances", vertex.name,
                         "remove its \"from\"");
    }
    if (vertex.kind != Kind::kSource && vertex.from.empty()) {
      return base::error(Code::kInvalid, "gets no events", vertex.name,
                         "name sources or transforms in \"from\"");
    }
    for (const std::string& name : vertex.from) {
      auto found = vertices_.find(name);
      if (found == vertices_.end()) {
        return base::error(Code::kInvalid, "takes from '" + name + "', which is no instance", vertex.name,
                           "name a source or a transform that has a manifest and is enabled");
      }
      if (found->second->kind == Kind::kSink) {
        return base::error(Code::kInvalid,
                           "takes from '" + name + "', which is a sink: nothing comes out of it", vertex.name,
                           "name a source or a transform");
      }
    }
    return std::nullopt;
  }

  // Depth first against the events' way. An instance that is met again while it is open is in a cycle.
  std::optional<Error> visit(const Vertex& vertex) {
    if (done_.contains(vertex.name)) return std::nullopt;
    if (auto open = std::find(open_.begin(), open_.end(), vertex.name); open != open_.end()) {
      // open_ goes upstream; the text follows the events.
      std::string cycle = vertex.name;
      for (auto name = open_.end(); name != open;) cycle += " -> " + *--name;
      return base::error(Code::kInvalid, "events would go round in a cycle: " + cycle, vertex.name,
                         "remove one of these edges");
    }
    open_.push_back(vertex.name);
    for (const std::string& name : vertex.from) {
      if (auto cycle = visit(*vertices_.at(name))) return cycle;
    }
    open_.pop_back();
    done_.insert(vertex.name);
    order_.push_back(vertex.name);
    return std::nullopt;
  }

  // Everything that events pass on their way from the journal to the consumer, and where they come from.
  void collect(const Vertex& vertex, std::set<std::string>* upstream) const {
    for (const std::string& name : vertex.from) {
      const Vertex& next = *vertices_.at(name);
      if (upstream->insert(name).second && next.kind == Kind::kTransform) collect(next, upstream);
    }
  }

  std::map<std::string, const Vertex*> vertices_;
  std::vector<std::string> order_;  // each after what it reads
  std::vector<std::string> open_;
  std::set<std::string> done_;
};

}  // namespace

base::Result<Plan> plan(const std::vector<Vertex>& vertices) {
  Planner planner;
  if (auto wrong = planner.add(vertices)) return *wrong;
  if (auto cycle = planner.sort()) return *cycle;
  return planner.plan();
}

}  // namespace weir::graph
