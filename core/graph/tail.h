// The text and metadata pairs that a node adds behind a block.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "event/block.h"

namespace weir::graph {

// Collects bytes that will lie at `base` in the block to be written, and gives out references that are right
// there. Text that was added lately is shared instead of repeated: a unit is the same for a whole batch.
// Reused.
class Tail {
 public:
  // `block` is what the references below `base` are in; it must stay until the next begin().
  void begin(const event::Block& block, uint32_t base);

  uint32_t base() const { return base_; }
  std::string_view bytes() const { return bytes_; }
  // Whether `size` more bytes keep the tail within the size of a batch.
  bool fits(uint64_t size) const {
    return size <= WEIR_BATCH_MAX_BYTES && bytes_.size() + size <= WEIR_BATCH_MAX_BYTES;
  }

  weir_ref text(std::string_view text);
  weir_ref blob(std::string_view bytes);
  // Writes an array of pairs and returns its offset, 4-aligned.
  uint32_t pairs(std::span<const weir_metadata> pairs);

  // What a reference means, be it into the tail or into the old block. Valid until something is added.
  std::string_view view(weir_ref ref) const;

 private:
  const event::Block* block_ = nullptr;
  uint32_t base_ = 0;
  std::string bytes_;
  std::array<weir_ref, 64> lately_{};
};

}  // namespace weir::graph
