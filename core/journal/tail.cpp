#include "journal/tail.h"

#include <algorithm>

namespace weir::journal {

void Tail::push(std::vector<StoredBatch>& batches) {
  std::lock_guard lock(mutex_);
  for (StoredBatch& batch : batches) {
    bytes_ += batch.block->size();
    batches_.push_back(std::move(batch));
  }
  while (bytes_ > max_bytes_ && !batches_.empty()) {
    bytes_ -= batches_.front().block->size();
    batches_.pop_front();
  }
}

bool Tail::read(uint64_t from, size_t max_bytes, std::vector<StoredBatch>* out) const {
  std::lock_guard lock(mutex_);
  if (batches_.empty() || from < batches_.front().first) return false;
  auto at = std::partition_point(batches_.begin(), batches_.end(),
                                 [&](const StoredBatch& batch) { return batch.last() < from; });
  // Events of a failed commit that came back are on disk alone; to step over them would be to lose them.
  if (at == batches_.end() || at->first > from) return false;
  uint64_t next = at->first;
  for (size_t bytes = 0; at != batches_.end() && at->first == next; ++at) {
    if (bytes != 0 && bytes + at->block->size() > max_bytes) break;
    bytes += at->block->size();
    next = at->last() + 1;
    out->push_back(*at);
  }
  return true;
}

size_t Tail::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

void Tail::clear() {
  std::lock_guard lock(mutex_);
  batches_.clear();
  bytes_ = 0;
}

}  // namespace weir::journal
