// What a transform in a child decided about a batch, written down there and told again in the gateway.
#pragma once

#include <string_view>

#include "graph/decisions.h"
#include "isolation/wire.h"
#include "weir/transform.h"

namespace weir::isolation {

// The child's weir_output: notes each call that the host would have accepted. One process() call at a time.
class DecisionLog final : public weir_output {
 public:
  DecisionLog();
  // Before a process(); `block` stays until the next begin.
  void begin(const event::Block& block);
  // Before a tick(), where there is no batch to check against: the gateway judges it alone.
  void begin_tick();
  // After it, once: what was noted, for tell().
  std::string_view finish(weir_status status);

 private:
  friend struct DecisionCalls;
  graph::Decisions checked_;  // says what the gateway will say to the same call
  Writer log_;
  bool checks_ = true;
  uint32_t kept_from_ = 0, kept_ = 0;  // keeps that follow each other are one entry
  void flush_kept();
};

// Makes the noted calls again. The log is about `count` events of the batch, from `offset` on. False when it makes no sense:
// then no call was made.
bool tell(std::string_view log, uint32_t offset, uint32_t count, weir_output* output);

}  // namespace weir::isolation
