// Transforms as tables of C functions with a lambda behind them, and what a pipeline made, in a form to
// compare.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "event/block.h"
#include "graph/pipeline.h"
#include "support/events.h"
#include "weir/plugin.hpp"

namespace weir::graph {

// A transform through the real ABI: its process() calls the function given here.
class TestTransform {
 public:
  using Process = std::function<weir_status(const weir_batch*, weir_output*, weir_error*)>;
  using EachEvent = std::function<void(const sdk::EventView&, uint32_t, sdk::Output&)>;

  explicit TestTransform(Process process) : process_(std::move(process)) {}
  // Calls `each` for each event of the batch.
  static TestTransform each(EachEvent each);
  static TestTransform keep_all();

  TransformCall call() const { return {&kTable, const_cast<TestTransform*>(this)}; }
  uint64_t calls() const { return calls_; }

 private:
  static const weir_transform_v1 kTable;
  Process process_;
  uint64_t calls_ = 0;
};

inline NodeSpec node(std::string name, const TestTransform& transform, std::vector<Edge> from,
                     bool drop_rejected = false) {
  return {std::move(name), transform.call(), std::move(from), drop_rejected};
}

event::SharedBlock shared(const weir_batch* batch);
// Events whose value is 0, 1, 2 ..., with sequences from first_sequence and ids of their own.
event::SharedBlock readings(uint32_t count, uint64_t first_sequence = 1);

// Runs one pipeline over one block; checks that every block that comes out is sound and that the pieces keep
// what Pipeline::Output says about order and parts.
Pipeline::Output run(Pipeline& pipeline, const event::SharedBlock& block,
                     const std::string& source = "source");

// "sequence.part value unit {metadata}" of each record, in order.
std::vector<std::string> brief(const Pipeline::Output& output);
// Everything about each record: the JSON with flags and the cause's place.
std::vector<std::string> full(const Pipeline::Output& output, uint32_t first_cause = 0);
// "cause filtered|unmatched|rejected node code reason[ +]", + when there is output as well.
std::vector<std::string> verdicts(const Pipeline& pipeline, const Pipeline::Output& output,
                                  uint32_t first_cause = 0);

// The events of a batch with records `extra` bytes longer, filled with a letter that depends on the sequence.
event::SharedBlock with_stride(const event::SharedBlock& block, uint32_t extra);

}  // namespace weir::graph
