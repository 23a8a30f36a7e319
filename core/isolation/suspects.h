// Which events were there when a child died: one that is there again and again is to blame, and becomes a dead letter.
#pragma once

#include <cstdint>
#include <map>

#include "weir/batch.h"

namespace weir::isolation {

// Not synchronised.
class Suspects {
 public:
  // An event that was there in so many deaths in a row is given up.
  static constexpr uint32_t kDeaths = 3;

  // Events `from` .. `from + n - 1` of a batch were in the child when it died. Only one that was there alone can become
  // guilty; the others are suspected from then on.
  void note_death(const weir_batch* batch, uint32_t from, uint32_t n, bool alone);
  // They were dealt with and nothing died.
  void clear(const weir_batch* batch, uint32_t from, uint32_t n);
  // Whether one of the batch's events was there in a death: then they are given one by one, to find out which it is.
  bool any(const weir_batch* batch) const;
  bool guilty(const weir_batch* batch, uint32_t i) const;

 private:
  struct Key {
    uint64_t epoch, sequence;
    uint32_t part;
    auto operator<=>(const Key&) const = default;
  };
  // Beyond it the oldest numbers are forgotten: their events are given in batches again.
  static constexpr size_t kMaxEvents = 2 * size_t{WEIR_BATCH_MAX_EVENTS};

  std::map<Key, uint32_t> deaths_;
};

}  // namespace weir::isolation
