#include "journal/segment_set.h"

#include <algorithm>

namespace weir::journal {
namespace {

auto find(auto& segments, uint32_t number) {
  return std::find_if(segments.begin(), segments.end(), [&](const SegmentInfo& s) { return s.number == number; });
}

}  // namespace

void SegmentSet::add(const SegmentInfo& info) {
  std::lock_guard lock(mutex_);
  segments_.push_back(info);
  std::sort(segments_.begin(), segments_.end(),
            [](const SegmentInfo& a, const SegmentInfo& b) { return a.number < b.number; });
}

void SegmentSet::update(const SegmentInfo& info) {
  std::lock_guard lock(mutex_);
  if (auto found = find(segments_, info.number); found != segments_.end()) *found = info;
}

void SegmentSet::remove(uint32_t number) {
  std::lock_guard lock(mutex_);
  if (auto found = find(segments_, number); found != segments_.end()) segments_.erase(found);
}

void SegmentSet::clear() {
  std::lock_guard lock(mutex_);
  segments_.clear();
}

void SegmentSet::extend(uint32_t number, uint64_t last, int64_t received_ns, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  auto found = find(segments_, number);
  if (found == segments_.end()) return;
  found->facts.last = last;
  found->facts.newest_received_ns = received_ns;
  found->bytes = bytes;
}

std::optional<SegmentInfo> SegmentSet::at_or_after(uint64_t sequence) const {
  std::lock_guard lock(mutex_);
  for (const SegmentInfo& segment : segments_) {
    if (segment.facts.last >= sequence && segment.facts.last >= segment.facts.first) return segment;
  }
  return std::nullopt;
}

std::optional<SegmentInfo> SegmentSet::with_number(uint32_t number) const {
  std::lock_guard lock(mutex_);
  for (const SegmentInfo& segment : segments_) {
    if (segment.number == number) return segment;
  }
  return std::nullopt;
}

std::vector<SegmentInfo> SegmentSet::all() const {
  std::lock_guard lock(mutex_);
  return segments_;
}

uint64_t SegmentSet::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const SegmentInfo& segment : segments_) sum += segment.bytes;
  return sum;
}

uint64_t SegmentSet::oldest() const {
  std::lock_guard lock(mutex_);
  return segments_.empty() ? 0 : segments_.front().facts.first;
}

}  // namespace weir::journal
