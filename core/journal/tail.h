// The newest batches in memory, so that a consumer that keeps up never reads from disk.
#pragma once

#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

#include "event/block.h"

namespace weir::journal {

// A batch as it was committed. `source` lives as long as the journal.
struct StoredBatch {
  event::SharedBlock block;
  uint64_t first = 0;
  uint32_t count = 0;
  std::string_view source;

  uint64_t last() const { return first + count - 1; }
};

// Bounded by bytes. Written by the journal's writer thread, read by any.
class Tail {
 public:
  explicit Tail(size_t max_bytes) : max_bytes_(max_bytes) {}

  void push(std::vector<StoredBatch>& batches);
  // Appends the batches from the one that holds `from` on, until `max_bytes` or a hole in the sequences; false when
  // `from` is not here.
  bool read(uint64_t from, size_t max_bytes, std::vector<StoredBatch>* out) const;
  size_t bytes() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::deque<StoredBatch> batches_;
  size_t bytes_ = 0;
  size_t max_bytes_;
};

}  // namespace weir::journal
