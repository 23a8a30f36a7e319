// The bounded window of dedupe keys: which request was committed already, and as what.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "journal/segment.h"

namespace weir::journal {

// Owned by the journal's writer thread. Remembers the newest kMaxEntries keys; their home is the segments' dedupe
// tables, from which it is filled at start.
class DedupeWindow {
 public:
  // About 6 MB at most; at 200 keyed requests a second it reaches back five minutes.
  static constexpr size_t kMaxEntries = 65536;

  std::optional<DedupeEntry> find(const DedupeKey& key) const;
  // Newer entries push out the oldest.
  void add(const DedupeEntry& entry);
  // Takes back what was added for a transaction that failed.
  void remove(const DedupeKey& key);
  size_t size() const { return entries_.size(); }

 private:
  struct Hash {
    size_t operator()(const DedupeKey& key) const;
  };
  std::unordered_map<DedupeKey, DedupeEntry, Hash> entries_;
  std::deque<DedupeKey> order_;
};

// The key of a source's dedupe_key text.
DedupeKey dedupe_key(std::string_view source, std::string_view key);

}  // namespace weir::journal
