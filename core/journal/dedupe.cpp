#include "journal/dedupe.h"

#include <cstring>

#include "base/digest.h"

namespace weir::journal {

size_t DedupeWindow::Hash::operator()(const Message& message) const {
  size_t hash;
  std::memcpy(&hash, message.key.data(), sizeof hash);  // the key is a digest already
  return hash + message.count;
}

std::optional<DedupeEntry> DedupeWindow::find(const DedupeKey& key, uint32_t count) const {
  auto found = entries_.find({key, count});
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

void DedupeWindow::add(const DedupeEntry& entry) {
  Message message{entry.key, entry.count};
  if (!entries_.emplace(message, entry).second) return;
  order_.push_back(message);
  while (order_.size() > kMaxEntries) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

void DedupeWindow::remove(const DedupeKey& key, uint32_t count) {
  Message message{key, count};
  if (entries_.erase(message) == 0) return;
  // Only the newest transaction is ever taken back, so the key is near the end.
  for (auto at = order_.rbegin(); at != order_.rend(); ++at) {
    if (*at == message) {
      order_.erase(std::next(at).base());
      return;
    }
  }
}

DedupeKey dedupe_key(std::string_view source, std::string_view key) {
  std::string text(source);
  text += '\0';
  text += key;
  auto digest = base::sha256(text);
  DedupeKey out;
  std::memcpy(out.data(), digest.data(), out.size());
  return out;
}

}  // namespace weir::journal
