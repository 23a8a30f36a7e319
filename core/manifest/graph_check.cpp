#include "manifest/graph_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "manifest/spelling.h"

namespace weir::manifest {
namespace {

// The pointer of an instance's i-th edge, as it was written.
std::string edge_pointer(const InstanceConfig& instance, size_t index) {
  const auto& from = instance.document->root()["from"];
  if (from.is_string()) return "/from";
  const std::string pointer = child_pointer("/from", index);
  return from[index].is_object() ? pointer + "/instance" : pointer;
}

// Those that an edge may come from.
std::vector<std::string> givers(const LoadedSet& set, const std::string& except) {
  std::vector<std::string> names;
  for (const auto& [name, instance] : set.instances) {
    const bool sink = instance.component && instance.component->kind == Kind::kSink;
    if (name != except && instance.enabled && !sink) names.push_back(name);
  }
  return names;
}

void check_edge(const LoadedSet& set, const InstanceConfig& instance, size_t index, Problems& problems) {
  const std::string& from = instance.from[index].instance;
  const auto refuse = [&](std::string what, std::string expected) {
    problems.push_back(instance.document->value_problem(edge_pointer(instance, index), std::move(what),
                                                        std::move(expected)));
  };
  if (set.unreadable.count(from) != 0) return;  // what is wrong is said there
  const auto other = set.instances.find(from);
  if (other == set.instances.end()) {
    const auto names = givers(set, instance.name);
    refuse("there is no instance " + in_quotes(from) + did_you_mean(from, names),
           names.empty() ? "the name of a source or transform" : one_of(names, '"'));
  } else if (!other->second.enabled) {
    refuse("the instance " + in_quotes(from) + " is disabled",
           "one that is enabled, or this one disabled too");
  } else if (other->second.component && other->second.component->kind == Kind::kSink) {
    refuse("the instance " + in_quotes(from) + " is a sink and gives no events on",
           "a source or a transform");
  }
  const auto begin = instance.from.begin(), here = begin + static_cast<std::ptrdiff_t>(index);
  const auto twice = std::find_if(begin, here, [&](const Edge& edge) { return edge.instance == from; });
  if (twice == here) return;
  const bool conditions = !twice->when.empty() || !instance.from[index].when.empty();
  refuse(in_quotes(from) + " appears twice", conditions ? "one edge, its conditions joined by ||" : "each name once");
}

void check_edges(const LoadedSet& set, const InstanceConfig& instance, Problems& problems) {
  const Document& document = *instance.document;
  if (instance.component && instance.component->kind == Kind::kSource && !instance.from.empty()) {
    problems.push_back(document.key_problem("/from", "a source gets its events from outside", "no 'from'"));
    return;
  }
  if (instance.component && instance.component->kind != Kind::kSource && instance.from.empty()) {
    problems.push_back(document.value_problem(
        "",
        std::string("the key 'from' is missing: a ") + name(instance.component->kind) + " needs its events",
        "\"from\": [\"NAME\"] with the name of a source or transform"));
  }
  for (size_t i = 0; i < instance.from.size(); ++i) check_edge(set, instance, i, problems);
}

// Follows the edges backwards, depth first, and names each circle once: at the edge that closes it.
class CycleSearch {
 public:
  CycleSearch(const LoadedSet& set, Problems& problems) : set_(set), problems_(problems) {}

  void run() {
    for (const auto& [name, instance] : set_.instances) visit(instance);
  }

 private:
  void visit(const InstanceConfig& instance) {
    if (!instance.enabled || !done_.insert(instance.name).second) return;
    path_.push_back(instance.name);
    for (size_t i = 0; i < instance.from.size(); ++i) {
      const std::string& from = instance.from[i].instance;
      const auto begin = std::find(path_.begin(), path_.end(), from);
      if (begin != path_.end()) {
        report(instance, i, begin);
      } else if (auto next = set_.instances.find(from); next != set_.instances.end()) {
        visit(next->second);
      }
    }
    path_.pop_back();
  }

  void report(const InstanceConfig& instance, size_t edge, std::vector<std::string>::const_iterator begin) {
    std::string circle = *begin;  // the path runs against the events; people read along with them
    for (auto step = path_.cend(); step != begin; --step) circle += " -> " + *(step - 1);
    problems_.push_back(instance.document->value_problem(
        edge_pointer(instance, edge), "events would go round in a circle: " + circle, "a graph that ends"));
  }

  const LoadedSet& set_;
  Problems& problems_;
  std::set<std::string> done_;
  std::vector<std::string> path_;
};

}  // namespace

void check_graph(const LoadedSet& set, Problems& problems) {
  for (const auto& [name, instance] : set.instances) {
    if (instance.enabled) check_edges(set, instance, problems);
  }
  CycleSearch(set, problems).run();
}

}  // namespace weir::manifest
