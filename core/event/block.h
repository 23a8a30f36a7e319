// A batch in memory: one 8-aligned allocation in the layout of weir/batch.h.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "weir/batch.h"

namespace weir::event {

// Owns the bytes of one batch. Movable, not copyable; empty after a move. Not synchronised: once shared
// (SharedBlock) it is not changed any more.
class Block {
 public:
  Block() = default;
  // `size` bytes, not initialised.
  explicit Block(size_t size);
  // A copy of a block that has been validated.
  static Block copy(const weir_batch* batch);

  bool empty() const { return data_ == nullptr; }
  size_t size() const { return size_; }
  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  const weir_batch* batch() const { return reinterpret_cast<const weir_batch*>(data_.get()); }
  weir_batch* batch() { return reinterpret_cast<weir_batch*>(data_.get()); }
  weir_event_v1* event(uint32_t i) { return const_cast<weir_event_v1*>(weir_event_at(batch(), i)); }
  const weir_event_v1* event(uint32_t i) const { return weir_event_at(batch(), i); }
  std::string_view text(weir_ref ref) const {
    return {reinterpret_cast<const char*>(data_.get()) + (ref.size != 0 ? ref.offset : 0), ref.size};
  }

  // Makes room for `size` bytes in all; the old bytes are kept, new ones are zero. Pointers into it move.
  void grow(size_t size);

 private:
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };
  std::unique_ptr<uint8_t[], Free> data_;
  size_t size_ = 0;
};

using SharedBlock = std::shared_ptr<const Block>;

}  // namespace weir::event
