// Settlements on their way from a host thread to the server's thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <vector>

#include "weir/source.h"

namespace weir::http {

// Copies of settlements; the ids of all of them lie in one array. Reused, so that it stops allocating.
class Settlements {
 public:
  void add(const weir_settlement& settlement) {
    entries_.push_back(settlement);
    const size_t before = ids_.size();
    if (settlement.ids == nullptr) {
      entries_.back().count = 0;
    } else {
      ids_.resize(before + settlement.count * size_t{16});
      std::memcpy(ids_.data() + before, settlement.ids, settlement.count * size_t{16});
    }
  }

  void clear() {
    entries_.clear();
    ids_.clear();
  }

  // Calls `take` with each, in the order they came.
  template <class Take>
  void for_each(Take&& take) {
    size_t at = 0;
    for (weir_settlement settlement : entries_) {
      const size_t bytes = settlement.count * size_t{16};
      settlement.ids = reinterpret_cast<const uint8_t(*)[16]>(ids_.data() + at);
      at += bytes;
      take(settlement);
    }
  }

 private:
  std::vector<weir_settlement> entries_;
  std::vector<uint8_t> ids_;
};

}  // namespace weir::http
