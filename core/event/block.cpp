#include "event/block.h"

#include <cstring>
#include <new>

namespace weir::event {
namespace {

uint8_t* allocate(size_t size) {
  auto* data = static_cast<uint8_t*>(std::malloc(size));
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

}  // namespace

Block::Block(size_t size) : data_(allocate(size)), size_(size) {}

Block Block::copy(const weir_batch* batch) {
  Block block(batch->total_size);
  std::memcpy(block.data(), batch, batch->total_size);
  return block;
}

void Block::grow(size_t size) {
  if (size <= size_) return;
  Block larger(size);
  if (size_ != 0) std::memcpy(larger.data(), data(), size_);
  std::memset(larger.data() + size_, 0, size - size_);
  *this = std::move(larger);
}

}  // namespace weir::event
