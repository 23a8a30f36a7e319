// Where a consumer stands: which sequences of the journal it has settled (delivered, filtered, dead ...).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::journal {

// A floor, below which everything is settled, and disjoint settled intervals above it. No I/O, not
// synchronised.
//
// The intervals are what out-of-order settling costs: one for each hole. They are bounded softly: settle()
// always records (an outcome that happened must not be lost), and full() tells the caller to read no further,
// so there are never more than max_intervals plus what was already on its way.
class Cursor {
 public:
  // Holes in the order of arrival are rare; 4096 of them are 64 KiB in memory and about 12 KiB encoded.
  static constexpr size_t kMaxIntervals = 4096;

  // `next` is the first sequence that is not settled.
  explicit Cursor(uint64_t next = 1, size_t max_intervals = kMaxIntervals);

  // Settles first..last, both included (first <= last < 2^64-1). What is settled already stays so. Returns
  // how many sequences became settled by this call. O(1) at the floor, else O(log n) and a move of the later
  // intervals.
  uint64_t settle(uint64_t first, uint64_t last);

  // True when settling first..last would leave more intervals than the bound.
  bool would_overflow(uint64_t first, uint64_t last) const;
  // True when one more separate interval would exceed the bound: read no further until the floor moves.
  bool full() const { return intervals_.size() >= max_intervals_; }

  // The first sequence that is not settled.
  uint64_t floor() const { return floor_; }
  bool is_settled(uint64_t sequence) const;
  // The first sequence >= from that is not settled.
  uint64_t next_unsettled(uint64_t from) const;
  // How many sequences above the floor are settled.
  uint64_t settled_above() const { return settled_above_; }
  size_t intervals() const { return intervals_.size(); }

  // Calls visit(first, last) for each run of unsettled sequences from the floor up to `head`, both included.
  template <class Visit>
  void for_each_unsettled(uint64_t head, Visit visit) const {
    uint64_t from = floor_;
    for (const Interval& settled : intervals_) {
      if (settled.first > head) break;
      visit(from, settled.first - 1);
      from = settled.last + 1;
    }
    if (from <= head) visit(from, head);
  }

  // Bytes for the state file: u8 version, u64 floor, u32 count, then two varints an interval (distance from
  // the previous end, length - 1). Without a checksum: the database page has one.
  std::string encode() const;
  // Reads what encode() wrote. Anything else is kDamaged.
  static base::Result<Cursor> decode(std::string_view bytes, size_t max_intervals = kMaxIntervals);

  bool operator==(const Cursor& other) const {
    return floor_ == other.floor_ && intervals_ == other.intervals_;
  }

 private:
  struct Interval {
    uint64_t first, last;  // both included
    bool operator==(const Interval&) const = default;
  };
  // The place of the first interval that ends at `sequence` - 1 or later: the first that could touch it.
  size_t touching(uint64_t sequence) const;
  void absorb();

  uint64_t floor_;
  uint64_t settled_above_ = 0;
  size_t max_intervals_;
  std::vector<Interval> intervals_;  // sorted, none adjacent to another or to the floor
};

}  // namespace weir::journal
