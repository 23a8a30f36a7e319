#include "isolation/suspects.h"

namespace weir::isolation {

void Suspects::note_death(const weir_batch* batch, uint32_t from, uint32_t n, bool alone) {
  for (uint32_t i = from; i < from + n; ++i) {
    const weir_event_v1& event = *weir_event_at(batch, i);
    uint32_t& deaths = deaths_[{batch->epoch, event.sequence, event.part}];
    if (alone || deaths == 0) ++deaths;
  }
  while (deaths_.size() > kMaxEvents) deaths_.erase(deaths_.begin());
}

void Suspects::clear(const weir_batch* batch, uint32_t from, uint32_t n) {
  if (deaths_.empty()) return;
  for (uint32_t i = from; i < from + n; ++i) {
    const weir_event_v1& event = *weir_event_at(batch, i);
    deaths_.erase({batch->epoch, event.sequence, event.part});
  }
}

bool Suspects::any(const weir_batch* batch) const {
  if (deaths_.empty()) return false;
  for (uint32_t i = 0; i < batch->count; ++i) {
    const weir_event_v1& event = *weir_event_at(batch, i);
    if (deaths_.contains({batch->epoch, event.sequence, event.part})) return true;
  }
  return false;
}

bool Suspects::guilty(const weir_batch* batch, uint32_t i) const {
  const weir_event_v1& event = *weir_event_at(batch, i);
  auto found = deaths_.find({batch->epoch, event.sequence, event.part});
  return found != deaths_.end() && found->second >= kDeaths;
}

}  // namespace weir::isolation
