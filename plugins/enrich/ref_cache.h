// Remembers, within one batch, what was found for a text: equal texts of a batch mostly share their place in
// it, so that a lookup is a comparison of two numbers.
#pragma once

#include <array>
#include <cstdint>

#include "weir/batch.h"

namespace weir::enrich {

// One batch, one thread. T is small and cheap to copy.
template <class T>
class RefCache {
 public:
  // What `find()` says for the text at `ref`, asked once for each place in the batch (as long as the cache
  // holds it).
  template <class Find>
  T get(weir_ref ref, Find&& find) {
    Entry& entry = entries_[(ref.offset ^ (ref.offset >> 4)) % entries_.size()];
    if (entry.ref.size == ref.size && entry.ref.offset == ref.offset && ref.size != 0) return entry.found;
    entry.ref = ref;
    return entry.found = find();
  }

 private:
  struct Entry {
    weir_ref ref{0, 0};  // size 0: empty
    T found{};
  };
  std::array<Entry, 16> entries_{};
};

}  // namespace weir::enrich
