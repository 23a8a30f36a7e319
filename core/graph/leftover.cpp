#include "graph/leftover.h"

#include <algorithm>
#include <map>

namespace weir::graph {
namespace {

class Search {
 public:
  explicit Search(const std::vector<Reader>& readers) {
    for (const Reader& reader : readers) {
      for (const Edge& edge : reader.from) out_[edge.from].push_back({&reader, edge.when.has_value()});
    }
  }

  // A condition lies on some way from here to a consumer.
  bool conditioned(const std::string& name) {
    return answer(&conditioned_, name, [this](const Way& way) {
      if (consumes(*way.to)) return way.condition;
      return leads(way.to->name) && (way.condition || conditioned(way.to->name));
    });
  }

  // Some way from here to a consumer has no condition.
  bool free(const std::string& name) {
    return answer(&free_, name, [this](const Way& way) {
      return !way.condition && (consumes(*way.to) || free(way.to->name));
    });
  }

  // Some way leads from here to a consumer.
  bool leads(const std::string& name) {
    return answer(&leads_, name, [this](const Way& way) { return consumes(*way.to) || leads(way.to->name); });
  }

  static bool consumes(const Reader& reader) { return reader.kind == Kind::kSink || reader.kind == Kind::kStateful; }

 private:
  struct Way {
    const Reader* to;
    bool condition;
  };
  template <class Test>
  bool answer(std::map<std::string, bool>* known, const std::string& name, Test&& test) {
    if (auto found = known->find(name); found != known->end()) return found->second;
    const std::vector<Way>& ways = out_[name];
    const bool any = std::any_of(ways.begin(), ways.end(), test);
    return (*known)[name] = any;
  }

  std::map<std::string, std::vector<Way>> out_;
  std::map<std::string, bool> conditioned_, free_, leads_;
};

}  // namespace

Leftover leftover(const std::vector<Reader>& readers) {
  Search search(readers);
  Leftover leftover;
  for (const Reader& reader : readers) {
    if (reader.kind == Kind::kTransform && search.conditioned(reader.name)) leftover.nodes.push_back(reader.name);
    // A stateful transform is a consumer, and for those behind it a source.
    const bool gives = reader.kind == Kind::kSource || reader.kind == Kind::kStateful;
    if (gives && search.conditioned(reader.name) && !search.free(reader.name)) leftover.sources.push_back(reader.name);
  }
  std::sort(leftover.nodes.begin(), leftover.nodes.end());
  std::sort(leftover.sources.begin(), leftover.sources.end());
  auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::binary_search(names.begin(), names.end(), name);
  };
  for (const Reader& reader : readers) {
    if (reader.kind == Kind::kSource || has(leftover.nodes, reader.name)) continue;
    if (!Search::consumes(reader) && !search.leads(reader.name)) continue;
    for (const Edge& edge : reader.from) {
      if (has(leftover.sources, edge.from) || has(leftover.nodes, edge.from)) leftover.taken.push_back(edge);
    }
  }
  if (leftover.sources.empty()) return {};
  return leftover;
}

}  // namespace weir::graph
