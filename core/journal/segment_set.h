// Which segment files there are and what each holds: the journal's table of contents, in memory.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "base/time.h"
#include "journal/segment.h"

namespace weir::journal {

struct SegmentInfo {
  uint32_t number = 0;
  SegmentFacts facts;
  uint64_t bytes = 0;         // on disk, about
  bool sealed = false;        // never written again
  bool checkpointed = false;  // its WAL is empty: readable as immutable
  base::Monotonic since{};    // when its age began to be measured
};

// Any thread. Held in sequence order; never empty runs overlap.
class SegmentSet {
 public:
  void add(const SegmentInfo& info);
  // Replaces the entry with the same number.
  void update(const SegmentInfo& info);
  void remove(uint32_t number);
  void clear();
  // The newest segment got longer.
  void extend(uint32_t number, uint64_t last, int64_t received_ns, uint64_t bytes);

  // The segment that holds `sequence`, or else the first one after it.
  std::optional<SegmentInfo> at_or_after(uint64_t sequence) const;
  std::optional<SegmentInfo> with_number(uint32_t number) const;
  std::vector<SegmentInfo> all() const;
  uint64_t bytes() const;
  // First sequence that is still stored; 0 when nothing is.
  uint64_t oldest() const;

 private:
  mutable std::mutex mutex_;
  std::vector<SegmentInfo> segments_;
};

}  // namespace weir::journal
