// The row of derived events that a stateful transform's outputs become.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "event/merge.h"
#include "graph/stateful.h"

namespace weir::delivery {

// Collects outputs in their order. One thread; reuse it.
class DerivedRow {
 public:
  explicit DerivedRow(std::string instance) : instance_(std::move(instance)) {}

  // Adds the outputs of one call for the events of `input`, at its now_ns. Their ids are made of the causes, so the same
  // input gives the same bytes whenever it is worked. tick_ns: 0, or the tick they are of. What has a cause below `from`
  // is in the journal and left out.
  void add(graph::Flow outputs, const event::Block& input, int64_t now_ns, int64_t tick_ns, uint64_t from);
  // Whether these fit beside what is there.
  bool fits(const graph::Flow& outputs) const;
  bool empty() const { return causes_.empty(); }
  // The row; each event names its cause's sequence in the metadata "weir.cause". Empty afterwards.
  event::Block take();
  void clear();

 private:
  const std::string instance_;
  event::Merger merger_;
  std::optional<event::Block> alone_;  // outputs that are too large to be copied beside others
  std::vector<uint64_t> causes_;  // sequences, one a record
};

}  // namespace weir::delivery
