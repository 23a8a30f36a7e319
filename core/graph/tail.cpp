#include "graph/tail.h"

#include <cstring>

namespace weir::graph {
namespace {

// What is kept for the next batch; a larger buffer was for an unusual one.
constexpr size_t kKeptCapacity = 1024 * 1024;

}  // namespace

void Tail::begin(const event::Block& block, uint32_t base) {
  block_ = &block;
  base_ = base;
  if (bytes_.empty()) return;
  bytes_.clear();
  if (bytes_.capacity() > kKeptCapacity) bytes_.shrink_to_fit();
  lately_.fill({0, 0});
}

weir_ref Tail::text(std::string_view text) {
  if (text.empty()) return {0, 0};
  size_t hash = text.size() * 31 + static_cast<uint8_t>(text.front()) * 7 + static_cast<uint8_t>(text.back());
  weir_ref& slot = lately_[hash % lately_.size()];
  if (slot.size == text.size() &&
      std::memcmp(bytes_.data() + (slot.offset - base_), text.data(), text.size()) == 0) {
    return slot;
  }
  return slot = blob(text);
}

weir_ref Tail::blob(std::string_view bytes) {
  if (bytes.empty()) return {0, 0};
  weir_ref ref{base_ + static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(bytes.size())};
  bytes_.append(bytes);
  return ref;
}

uint32_t Tail::pairs(std::span<const weir_metadata> pairs) {
  if (pairs.empty()) return 0;
  bytes_.append((4 - bytes_.size() % 4) % 4, '\0');
  auto offset = base_ + static_cast<uint32_t>(bytes_.size());
  bytes_.append(reinterpret_cast<const char*>(pairs.data()), pairs.size_bytes());
  return offset;
}

std::string_view Tail::view(weir_ref ref) const {
  if (ref.size == 0) return {};
  if (ref.offset >= base_) return std::string_view(bytes_).substr(ref.offset - base_, ref.size);
  return block_->text(ref);
}

}  // namespace weir::graph
