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

  // Another number of events under the same key is another message.
  std::optional<DedupeEntry> find(const DedupeKey& key, uint32_t count) const;
  // Newer entries push out the oldest.
  void add(const DedupeEntry& entry);
  // Takes back what was added for a transaction that failed.
  void remove(const DedupeKey& key, uint32_t count);
  size_t size() const { return entries_.size(); }

 private:
  struct Message {
    DedupeKey key;
    uint32_t count;
    bool operator==(const Message&) const = default;
  };
  struct Hash {
    size_t operator()(const Message& message) const;
  };
  std::unordered_map<Message, DedupeEntry, Hash> entries_;
  std::deque<Message> order_;
};

// The key of a source's dedupe_key text.
DedupeKey dedupe_key(std::string_view source, std::string_view key);

}  // namespace weir::journal
