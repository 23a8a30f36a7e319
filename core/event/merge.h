// Joining events of several blocks into one block, for sinks that want larger batches than devices send.
#pragma once

#include <string>

#include "event/block.h"

namespace weir::event {

// Collects events and makes one block of them. One thread; reuse it.
class Merger {
 public:
  // Copies event `index` of a validated block, with its text. Fields beyond those known here are copied as they are.
  void add(const weir_batch* batch, uint32_t index);
  uint32_t count() const { return count_; }
  // What the block will take, in bytes.
  size_t bytes() const { return text_.size() + records_.size() + 16; }
  // The block with everything added, in order; the merger is empty afterwards.
  Block take();

 private:
  weir_ref put(const weir_batch* batch, weir_ref ref);

  std::string records_;  // count_ records, stride_ apart
  std::string text_;     // starts with room for the head
  uint32_t count_ = 0;
  uint32_t stride_ = 0;
  uint64_t epoch_ = 0;
  weir_ref lately_[64];  // text put lately; events of one device are neighbours, also in blocks of their own
};

}  // namespace weir::event
